/**
 * What harm is done to a shop, and how is it undone?
 *
 * Each fault has one name here, whoever does it: a drill, a random history, a case at a crash point, a trial of one Redis or of
 * one link. Its function strikes a victim and returns what mends it. Those of processes strike a part of the shop, those of
 * links all that connects the part with others, those of Redis the Redis of a service, which must be one.
 */
import { execFile } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Redis } from 'ioredis'
import type { Part } from '../../../env/local/managed-process.ts'
import type { RedisPart } from '../../../env/local/parts.ts'
import { behind, lookInto } from '../shop/behind.ts'
import { type Cut, cutTail, type Lost } from './older-redis.ts'
import type { Link, Fault as LinkFault } from './proxy.ts'

export type Victim = {
  readonly part: Part
  /** What connects it with others. */
  readonly links?: () => readonly Link[]
  /** What a Redis loses of its file, by default nothing. */
  readonly cut?: () => Cut | Promise<Cut>
  /** To be told what it has lost. */
  readonly lost?: (lost: Lost) => void
}
export type Mend = () => Promise<unknown> | unknown
type Strike = (victim: Victim) => Promise<Mend> | Mend

/** How a part is seen meanwhile. */
export type State = 'down' | 'frozen' | 'cut off' | 'slow' | 'refusing'

export type Fault = {
  /** In words that follow "…, for a time:". */
  readonly means: string
  readonly leaves: State
  readonly strike: Strike
}

const run = promisify(execFile)
const healed: Mend = () => undefined

const redisOf = ({ part }: Victim): RedisPart => {
  if (!('dir' in part)) throw new Error(`${part.name} is no Redis`)
  return part as RedisPart
}

/** Strikes all links by what each of them is to do meanwhile. */
const onLinks =
  (fault: LinkFault): Strike =>
  ({ links = () => [] }) => {
    const all = links()
    for (const link of all) link.suffer(fault)
    return () => {
      for (const link of all) link.heal()
    }
  }

/** Strikes a Redis by a command of its operator, and mends it by another one. */
const asOperator =
  (
    strike: (redis: Redis) => Promise<unknown>,
    mend: (redis: Redis) => Promise<unknown> = async () => undefined,
  ): Strike =>
  async (victim) => {
    const redis = redisOf(victim)
    await behind(redis, strike)
    return () => behind(redis, mend)
  }

/** Keeps a Redis busy by a command that takes so long; it is over by itself, which mending waits for. */
const busyBy =
  (...command: readonly [string, ...string[]]): Strike =>
  async (victim) => {
    const redis = lookInto(redisOf(victim))
    await redis.ping()
    const [name, ...values] = command
    const over = redis.call(name, ...values)
    over.catch(() => undefined)
    return () => over.finally(() => redis.disconnect())
  }

/** So much room is left on the disk. */
const ROOM_BYTES = 1_000
const writtenBytes = async (dir: string): Promise<number> => {
  const folder = join(dir, 'appendonlydir')
  const names = (await readdir(folder)).filter((name) => name.endsWith('.incr.aof'))
  return Math.max(...(await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size))))
}

const forget = async (redis: Redis, keys: string): Promise<unknown> => {
  const found = await redis.keys(keys)
  return found.length > 0 ? redis.del(found) : 0
}

/** A port at which nobody is: who is to follow it keeps what it has. */
const NOBODY = ['127.0.0.1', '1'] as const
const SLOW_MS = 150
export const LONG_MS = 5_000
/** A command of a service in its own Redis. */
const COMMAND = /evalsha/i

export const FAULTS = {
  kill: {
    means: 'kill -9, and started again',
    leaves: 'down',
    strike: async ({ part }) => {
      await part.kill()
      return part.start
    },
  },
  restart: {
    means: 'SIGTERM, and started again',
    leaves: 'down',
    strike: async ({ part }) => {
      await part.stop()
      return part.start
    },
  },
  freeze: {
    means: 'SIGSTOP, then SIGCONT',
    leaves: 'frozen',
    strike: ({ part }) => {
      part.freeze()
      return part.thaw
    },
  },
  cut: {
    means: 'all its connections break, once',
    leaves: 'cut off',
    strike: ({ links = () => [] }) => {
      for (const link of links()) link.cut()
      return healed
    },
  },
  refuse: {
    means: 'all its connections break, and new ones are refused',
    leaves: 'cut off',
    strike: onLinks({ does: 'refuse' }),
  },
  'black-hole': {
    means: 'all its connections swallow what is sent',
    leaves: 'cut off',
    strike: onLinks({ does: 'black-hole', towards: 'both' }),
  },
  'lose-replies': {
    means: 'all its connections swallow what is answered',
    leaves: 'cut off',
    strike: onLinks({ does: 'black-hole', towards: 'client' }),
  },
  'lose-reply': {
    means: 'the next command runs, and the connection breaks instead of its reply',
    leaves: 'cut off',
    strike: onLinks({ does: 'lose-reply', command: COMMAND }),
  },
  delay: {
    means: 'all its connections are slow',
    leaves: 'slow',
    strike: onLinks({ does: 'delay', ms: SLOW_MS }),
  },
  'lose-tail': {
    means: 'kill -9 of a Redis, which comes back without the last it wrote',
    leaves: 'down',
    strike: async (victim) => {
      const redis = redisOf(victim)
      await redis.kill()
      return async () => {
        const cut = await victim.cut?.()
        if (cut !== undefined) {
          const lost = await cutTail(redis.dir, cut)
          victim.lost?.(lost)
        }
        await redis.start()
      }
    },
  },
  sleep: {
    means: 'a Redis does nothing for 5 s',
    leaves: 'frozen',
    strike: busyBy('DEBUG', 'SLEEP', String(LONG_MS / 1_000)),
  },
  pause: {
    means: 'a Redis answers no client for 5 s',
    leaves: 'frozen',
    strike: asOperator(
      (redis) => redis.call('CLIENT', 'PAUSE', String(LONG_MS), 'ALL'),
      (redis) => redis.ping(),
    ),
  },
  'out-of-memory': {
    means: 'a Redis has no memory left',
    leaves: 'refusing',
    strike: asOperator(
      (redis) => redis.config('SET', 'maxmemory', '1'),
      (redis) => redis.config('SET', 'maxmemory', '0'),
    ),
  },
  demote: {
    means: 'a Redis becomes a replica, and a master again',
    leaves: 'refusing',
    strike: asOperator(
      (redis) => redis.replicaof(...NOBODY),
      (redis) => redis.replicaof('NO', 'ONE'),
    ),
  },
  /**
   * With `appendfsync always` a Redis that cannot write ends itself, at its next write; what it wrote of its last entry is cut
   * off at the start.
   */
  'disk-full': {
    means: 'the disk of a Redis has no room left, and then has again',
    leaves: 'down',
    strike: async (victim) => {
      const redis = redisOf(victim)
      const limit = (await writtenBytes(redis.dir)) + ROOM_BYTES
      await run('prlimit', ['--pid', String(redis.pid), `--fsize=${limit}`])
      return redis.start
    },
  },
  'forget-scripts': {
    means: 'a Redis forgets its scripts',
    leaves: 'slow',
    strike: asOperator((redis) => redis.script('FLUSH')),
  },
  'forget-locks': {
    means: 'a Redis forgets the locks in it',
    leaves: 'slow',
    strike: asOperator((redis) => forget(redis, 'lock:*')),
  },
  'forget-leases': {
    means: 'a Redis forgets who reads and who parses logs',
    leaves: 'slow',
    strike: asOperator(async (redis) => [await forget(redis, 'lock:reader:*'), await forget(redis, 'lock:parser:*')]),
  },
} as const satisfies Readonly<Record<string, Fault>>
export type FaultName = keyof typeof FAULTS

/** Strikes all victims at once; the result mends all of them at once. */
export const strike = async (name: FaultName, victims: readonly Victim[]): Promise<() => Promise<void>> => {
  const fault: Fault = FAULTS[name]
  const mends = await Promise.all(victims.map((victim) => fault.strike(victim)))
  return async () => {
    await Promise.all(mends.map((mend) => mend()))
  }
}

/** Strikes all victims, and mends them when the work is over. */
export const during = async (
  name: FaultName,
  victims: readonly Victim[],
  work: () => Promise<unknown>,
): Promise<void> => {
  const mend = await strike(name, victims)
  try {
    await work()
  } finally {
    await mend()
  }
}

/** A Redis comes back as it was at a position of its file. @returns what is gone */
export const comeBackOlder = async (part: RedisPart, cut: Cut): Promise<Lost> => {
  const lost: Lost[] = []
  const mend = await strike('lose-tail', [{ part, cut: () => cut, lost: (one) => lost.push(one) }])
  await mend()
  return lost[0] ?? { transactions: [], bytes: 0 }
}
