/** How are the Redis of a service, in numbers? As they were found last: a scrape asks none of them. */
import { gauge } from '../metrics/metric.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Health } from './health.ts'
import type { MemoryWatch } from './memory.ts'

export const redisGauges = {
  up: gauge(
    'shop_redis_up',
    'Whether a Redis would run a command for this process: its own one, and the lock masters',
    'redis',
  ),
  used: gauge('shop_redis_used_memory_bytes', 'How much memory its own Redis uses, found every second'),
  limit: gauge('shop_redis_max_memory_bytes', 'How much it may use; there is none if it may use all there is'),
} as const

export type RedisGaugesOptions = {
  readonly health: Pick<Health, 'up'>
  readonly memory: Pick<MemoryWatch, 'seen'>
  readonly metrics: Metrics
}

export const openRedisGauges = ({ health, memory, metrics }: RedisGaugesOptions): void =>
  metrics.source('redis', redisGauges, (tell) => {
    const { own, masters } = health.up()
    tell.up(own ? 1 : 0, 'own')
    for (const [name, isUp] of Object.entries(masters)) tell.up(isUp ? 1 : 0, `master-${name}`)
    const seen = memory.seen()
    if (seen === undefined) return
    tell.used(seen.used)
    if (seen.limit > 0) tell.limit(seen.limit)
  })
