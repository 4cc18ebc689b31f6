import { Command } from 'commander'
import manifest from '../package.json' with { type: 'json' }
import { addAudiences } from './commands/audiences.ts'
import { addAudit } from './commands/audit.ts'
import { addBackup } from './commands/backup.ts'
import { addCompletion } from './commands/completion.ts'
import { addDoctor } from './commands/doctor.ts'
import { addImport } from './commands/import.ts'
import { addInspect } from './commands/inspect.ts'
import { addKeyShapes } from './commands/key-shapes.ts'
import { addKeys } from './commands/keys.ts'
import { addManagementKeys } from './commands/management-keys.ts'
import { addProjects } from './commands/projects.ts'
import { addRestore } from './commands/restore.ts'
import { addRevoke } from './commands/revoke.ts'
import { addRoles } from './commands/roles.ts'
import { addRootKey } from './commands/root-key.ts'
import { addSessions } from './commands/sessions.ts'
import { addSigningKeys } from './commands/signing-keys.ts'
import { addStart } from './commands/start.ts'
import { addSubjects } from './commands/subjects.ts'
import { addTokens } from './commands/tokens.ts'
import { addUsage } from './commands/usage.ts'
import { addVerifiers } from './commands/verifiers.ts'
import { addVerify } from './commands/verify.ts'
import { EXIT_CODES_HELP, type ExitCode } from './exit-codes.ts'

/** Told by a command that ends well with another code than 0. */
export type SetExitCode = (code: ExitCode) => void

/** What was typed in the wrong place may be a credential, and standard error goes into the logs of CI. */
function hideSecrets(text: string): string {
  return text.replaceAll(/-----BEGIN[\s\S]*/g, '[redacted]').replaceAll(/[A-Za-z0-9_.-]{44,}/g, '[redacted]')
}

/** The whole command line. Commander's errors are thrown, so that the exit code is ours to choose. */
export function createProgram(setExitCode: SetExitCode): Command {
  const program = new Command('claviger')
    .description('API keys and access tokens: issue, verify, rotate, revoke.')
    .version(manifest.version)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(hideSecrets(text)) })
    .addHelpText(
      'after',
      `
The server is found by --url or CLAVIGER_URL, by default http://127.0.0.1:2528. The management key
is CLAVIGER_KEY, else what stands in the file root-key of the data folder.
${EXIT_CODES_HELP}

Examples:
  $ claviger start
  $ claviger roles put reader documents:read
  $ claviger keys create "Acme production" --roles reader
  $ claviger verify - --permissions documents:read < credential.txt`,
    )
  addStart(program)
  addKeys(program)
  addKeyShapes(program)
  addImport(program, setExitCode)
  addTokens(program)
  addSessions(program)
  addAudiences(program)
  addRoles(program)
  addSubjects(program)
  addVerify(program, setExitCode)
  addInspect(program, setExitCode)
  addRevoke(program, setExitCode)
  addSigningKeys(program)
  addProjects(program)
  addManagementKeys(program)
  addUsage(program)
  addVerifiers(program)
  addAudit(program, setExitCode)
  addRootKey(program)
  addBackup(program)
  addRestore(program)
  addDoctor(program, setExitCode)
  addCompletion(program)
  return program
}
