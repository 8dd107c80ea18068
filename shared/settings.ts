/**
 * How is every service set?
 *
 * Apart from what a service is made of, so that what starts services can tell before it does whether they are set right.
 */
import { LOCK_MASTERS, type LockMaster } from './contract/services.ts'
import { authSettings } from './process/auth.ts'
import { flag, headerSecret, integer, names, redisUrl, type Setting, type Settings, text } from './process/config.ts'
import { logRequests } from './process/request-log.ts'
import { cronSetting } from './saga/schedule.ts'

/** The settings that every service reads. */
export const serviceSettings = {
  port: integer('PORT', { min: 0, max: 65_535 }),
  host: text('HOST', '0.0.0.0'),
  redisUrl: redisUrl('REDIS_URL'),
  operatorToken: headerSecret('OPERATOR_TOKEN', ''),
  ...authSettings,
  metrics: flag('METRICS', true),
  logOneIn: logRequests,
  drainMs: integer('DRAIN_MS', { min: 0, max: 5_000 }, 500),
  leaseTtlMs: integer('LEASE_TTL_MS', { min: 100, max: 60_000 }, 2_000),
  parserCron: cronSetting('LOG_PARSER_CRON', '*/5 * * * * *'),
  retentionHours: integer('LOG_RETENTION_HOURS', { min: 1, max: 24 * 365 }, 24),
  /** For tests: the same in milliseconds, so that what time destroys is seen without waiting for it. */
  retentionMs: integer('LOG_RETENTION_MS', { min: 1, max: 24 * 365 * 3_600_000 }, 0),
  featuresOff: names('FEATURES_OFF'),
  allowUnsafeRedis: flag('ALLOW_UNSAFE_REDIS', false),
  allowDevPasswords: flag('ALLOW_DEV_PASSWORDS', false),
}

/** The variable that says how the Redis of another service is reached. */
export const urlVariable = (service: string): string => `${service.toUpperCase()}_REDIS_URL`

/** The settings by which a service reaches the Redis of its peers. */
export const peerRedis = Object.fromEntries(
  LOCK_MASTERS.map((name) => [name, redisUrl(urlVariable(name))]),
) as Readonly<Record<LockMaster, Setting<string>>>

export type ServiceConfig = Settings<typeof serviceSettings>
