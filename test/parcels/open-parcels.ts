/** Opens the logs of the desk and of the fleet. */
import type { Redis } from 'ioredis'
import { type Log, openLog } from '../../shared/log/log.ts'
import type { Step } from '../../shared/process/step.ts'
import { contract, desk, fleet } from './parcels.ts'

const common = { contract, lua: [new URL('lua/', import.meta.url)], retentionS: 3_600 }

export const openDesk = (redis: Redis, step: Step): Log =>
  openLog({ service: 'order', redis, step, names: {}, ...common, ...desk })

export const openFleet = (redis: Redis, step: Step): Log =>
  openLog({ service: 'stock', redis, step, names: { van: 'van:' }, ...common, ...fleet })
