/** Processes that are started as the launcher starts its parts, and what is told of them. */
import { join } from 'node:path'
import { createPart, type Part, type PartEvent, type PartOptions } from '../../env/local/managed-process.ts'
import { takePorts } from '../../env/local/ports.ts'
import { redisProgram } from '../../env/local/redis-program.ts'
import type { ShopEvent } from '../../env/local/shop.ts'
import { ROOT } from './program.ts'

type Options = Partial<PartOptions> & Pick<PartOptions, 'command' | 'cwd' | 'logFile' | 'readyBy'>

/** A part that nobody asks anything and that may die. */
export const openPart = (options: Options): Part =>
  createPart({
    name: 'part',
    port: 0,
    url: '',
    environment: process.env,
    restart: false,
    tell: () => undefined,
    ...options,
  })

/** A Redis in this folder, on a port of its own, that the shop's script starts with these variables; `close` ends it. */
export const openRedisPart = async (dir: string, variables: NodeJS.ProcessEnv) => {
  const { ports, release } = await takePorts(1)
  const [port = 0] = ports
  const part = openPart({
    name: 'redis',
    port,
    url: `redis://127.0.0.1:${port}`,
    command: ['/bin/sh', 'env/redis/redis.sh', '--port', String(port), '--bind', '127.0.0.1', '--dir', dir],
    cwd: ROOT,
    environment: { ...process.env, REDIS_SERVER: await redisProgram(), ...variables },
    logFile: join(dir, `log-${port}`),
    readyBy: /Ready to accept connections/,
  })
  const close = async (): Promise<void> => {
    await part.stop()
    await release()
  }
  return { part, close }
}

/** Resolves when the event of this type comes, of this part; what was told before does not count. */
export const listener = () => {
  const waiting: { matches: (event: ShopEvent) => boolean; resolve: (event: ShopEvent) => void }[] = []
  return {
    onEvent: (event: ShopEvent): void => {
      for (const { matches, resolve } of waiting) if (matches(event)) resolve(event)
    },
    next: <Type extends PartEvent['type']>(type: Type, part = 'part') =>
      new Promise<Extract<PartEvent, { type: Type }>>((resolve) =>
        waiting.push({
          matches: (event) => event.type === type && 'part' in event && event.part === part,
          resolve: (event) => resolve(event as Extract<PartEvent, { type: Type }>),
        }),
      ),
  }
}
