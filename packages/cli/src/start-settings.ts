import { CONFIGURATION_NAMES, Configuration, type ConfigurationName, environmentName } from '@claviger/server'
import { type Command, Option } from 'commander'

/** Gives a command every setting of the server as a flag. */
export function addSettings(command: Command): void {
  for (const name of CONFIGURATION_NAMES) command.addOption(settingOption(name))
}

/** The settings are checked where they are read, so that a flag and a variable are answered alike. */
function settingOption(name: ConfigurationName): Option {
  const schema: object = Configuration.properties[name]
  const flag = `--${environmentName(name).slice('CLAVIGER_'.length).toLowerCase().replaceAll('_', '-')}`
  const takesValue = !('type' in schema && schema.type === 'boolean')
  const description = 'description' in schema ? schema.description : name
  const hasDefault = takesValue && 'default' in schema && !Array.isArray(schema.default)
  const byDefault = hasDefault ? `; default: ${schema.default}` : ''
  return new Option(
    takesValue ? `${flag} <value>` : flag,
    `${description} (${environmentName(name)}${byDefault})`,
  )
}
