/** What tokens of a project can carry: whoever brings, makes or moves its signing keys needs grants for it (rule M3). */
export const WHAT_TOKENS_HOLD: readonly string[] = ['*:*']
