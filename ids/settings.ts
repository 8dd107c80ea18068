/** How is the ids service set? */
import { integer } from '../shared/process/config.ts'
import { peerRedis, serviceSettings } from '../shared/settings.ts'

export const settings = {
  ...serviceSettings,
  ...peerRedis,
  locksMax: integer('LOCKS_MAX', { min: 1, max: 10_000_000 }, 100_000),
}
