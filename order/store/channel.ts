/**
 * How does this process hear what any replica publishes in the Redis of order?
 *
 * It subscribes whenever its connection is a new one; what is published meanwhile must be found out otherwise.
 */
import type { Redis } from 'ioredis'
import { remake } from '../../shared/redis/connection.ts'
import type { Dependencies } from '../../shared/service.ts'

export const listen = (
  step: Dependencies['step'],
  subscriber: Redis,
  channel: string,
  onMessage: (message: string) => void,
): void => {
  subscriber.on('message', (from: string, message: string) => {
    if (from === channel) onMessage(message)
  })
  // If the connection breaks meanwhile, or no answer comes, there is a next one.
  subscriber.on('ready', () => {
    step('subscribe', () => subscriber.subscribe(channel)).catch((error: Error) => remake(subscriber, error))
  })
}
