export { ConfigError } from './config-error.ts';
export { describeSettings, type SettingRow } from './describe-settings.ts';
export { readConfig, type Config, type Environment, type Settings } from './read-config.ts';
export { setting, type Setting } from './setting.ts';
export {
  idSetting,
  jetStreamSettings,
  layoutSettings,
  originsSetting,
  postgresUrlSetting,
  processSettings,
  redisUrlSetting,
  trustedProxiesSetting,
} from './house-settings.ts';
