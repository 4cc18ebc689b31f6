/**
 * What a project may hold at most unless root says otherwise, and what one caller may: so that a program that has gone
 * wild fills neither the disk nor another project's lists. Revocations have no cap: refusing one would leave a stolen
 * credential alive.
 */
export const CAPS = {
  keys: { most: 2_000_000, description: 'API keys that are not deleted.' },
  keysPerCaller: {
    most: 1_000_000,
    description: 'API keys that are not deleted and that one management key created.',
  },
  subjects: { most: 2_000_000, description: 'Subject records.' },
  roles: { most: 1_000, description: 'Roles.' },
  audiences: { most: 1_000, description: 'Audiences with defaults.' },
  sessionsPerSubject: { most: 1_000, description: 'Live sessions of one subject.' },
  signingKeys: { most: 100, description: 'Signing keys that are not retired.' },
  managementKeys: {
    most: 1_000,
    description: 'Management keys that are bound to the project and not deleted.',
  },
  projects: { most: 1_000, description: 'Projects of the installation; set for the project `claviger`.' },
} as const satisfies Readonly<Record<string, { readonly most: number; readonly description: string }>>

export type Cap = keyof typeof CAPS

export const CAP_NAMES = Object.keys(CAPS) as readonly Cap[]
