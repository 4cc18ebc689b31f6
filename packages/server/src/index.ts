export { collectRequestsYoung } from './collect-young.ts'
export {
  CONFIGURATION_NAMES,
  Configuration,
  type ConfigurationName,
  type ConfigurationSources,
  environmentName,
  readConfiguration,
} from './configuration.ts'
export { type ClavigerServer, createServer, type ServerOptions } from './create-server.ts'
export { HTTP_LIMITS, type HttpLimits } from './http-limits.ts'
export type { LogTarget } from './log.ts'
export { redact } from './redaction.ts'
export { writeRootKeyFile } from './root-key-file.ts'
export { VERSION } from './version.ts'
