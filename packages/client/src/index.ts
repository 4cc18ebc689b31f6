export { ClavigerError, type ClientErrorCode } from './claviger-error.ts'
export { type ClavigerClient, type ClientOptions, createClient } from './create-client.ts'
export type * from './generated/types.gen.ts'
