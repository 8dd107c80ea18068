/** Which commands there are about locks: what each wants and returns, as its Lua file says. */
import { impossible } from '../../shared/errors.ts'
import { type Content, command } from '../../shared/redis/command.ts'
import { ENDS, type Ended, type Held, type Metadata, MODES, type Waiting } from './lease.ts'
import { ownerOf, readLock } from './read-lock.ts'

const texts = (reply: readonly unknown[]): readonly string[] =>
  reply.map((one) => (typeof one === 'string' ? one : impossible('locks.text', reply)))

const oneOf = <const Word extends string>(words: readonly Word[], text = ''): Word =>
  words.find((word) => word === text) ?? impossible('locks.word', text)

const metadataOf = (text: string): Metadata => JSON.parse(text) as Metadata
const numberOf = (text = ''): number | undefined => (text === '' ? undefined : Number(text))

/** With the newest entry that the command has appended, `''` if it has none, and when it ends by the Redis' clock if it holds. */
export type Told<Lease> = Lease & { readonly entry: string; readonly expiresAtMs: number }

const held: Content<Told<Held>> = {
  name: 'lease',
  read: (reply) => {
    const [
      ,
      lease = '',
      isNew,
      mode,
      permits,
      token,
      owner = '',
      ttl,
      expires,
      acquired,
      metadata = '{}',
      now,
      entry = '',
    ] = texts(reply)
    return {
      state: 'held',
      lease,
      isNew: isNew === 'yes',
      mode: oneOf(MODES, mode),
      permits: Number(permits),
      token: Number(token),
      owner: ownerOf(owner),
      ttlMs: Number(ttl),
      expiresInMs: Number(expires) - Number(now),
      expiresAtMs: Number(expires),
      acquiredAtMs: Number(acquired),
      metadata: metadataOf(metadata),
      entry,
    }
  },
}

const waiting: Content<Told<Waiting>> = {
  name: 'lease',
  read: (reply) => {
    const [
      ,
      lease = '',
      mode,
      permits,
      priority,
      owner = '',
      metadata = '{}',
      position,
      ahead,
      estimated,
      left,
      entry = '',
    ] = texts(reply)
    return {
      state: 'waiting',
      lease,
      mode: oneOf(MODES, mode),
      permits: Number(permits),
      priority: Number(priority),
      owner: ownerOf(owner),
      metadata: metadataOf(metadata),
      position: Number(position),
      ahead: Number(ahead),
      estimatedWaitMs: numberOf(estimated),
      leftMs: numberOf(left),
      expiresAtMs: 0,
      entry,
    }
  },
}

const ended: Content<Ended> = {
  name: 'lease',
  read: (reply) => {
    const [, why, at, promoted] = texts(reply)
    return { state: 'ended', ended: oneOf(ENDS, why), atMs: Number(at), promoted: promoted === 'yes' }
  },
}

/** What any of them returns if this Redis lacks what the caller has seen. */
const older = { older: [] } as const

export const acquireLock = command(
  'acquire-lock',
  [
    'lock',
    'lease',
    'seen',
    'request',
    'ttl',
    'mode?',
    'wait?',
    'queue?',
    'priority?',
    'permits?',
    'limit?',
    'owner?',
    'metadata?',
    'delay?',
    'comes_again?',
  ],
  { granted: ['lease', 'token', 'at', 'entry'], held, waiting },
  {
    ended,
    locked: ['why', 'rest', 'waiting'],
    reused: [],
    configured: ['what', 'as'],
    unlimited: [],
    'over-limit': ['limit'],
    full: ['rest'],
    'too-many': [],
    barred: ['rest'],
    ...older,
  },
)
export const askLease = command(
  'ask-lease',
  ['lock', 'lease', 'seen'],
  { held, waiting },
  { ended, unknown: [], ...older },
)
export const attendWaiters = command('attend-waiters', ['leases'], { attended: ['those that wait no longer'] })
export const renewLease = command(
  'renew-lease',
  ['lock', 'lease', 'seen', 'ttl', 'metadata', 'priority', 'mode'],
  { held, waiting },
  { ended, unknown: [], 'not-exclusive': [], ...older },
)
export const releaseLease = command('release-lease', ['lock', 'lease', 'seen'], { ended }, older)
export const forceLock = command(
  'force-lock',
  ['lock', 'seen', 'token', 'waiters'],
  { forced: ['tokens', 'promoted', 'dropped'] },
  { ended: ['newest'], ...older },
)
export const configureLock = command(
  'configure-lock',
  ['log_id', 'lock', 'seen', 'limit', 'write', 'delay'],
  { configured: ['new'] },
  { 'in-use': [], 'too-many': [], ...older },
)
export const showLock = command(
  'show-lock',
  ['lock', 'seen', 'waiters'],
  { shown: { name: 'lock', read: ([, lock]) => readLock(lock) } },
  older,
)
export const checkToken = command(
  'check-token',
  ['lock', 'token', 'seen'],
  { holds: ['mode', 'owner', 'rest'] },
  { ended: ['newest'], ...older },
)
export const tickLocks = command('tick-locks', ['seen', 'most'], { ticked: ['rest', 'now'] }, older)
export const rebaseLocks = command('rebase-locks', ['after', 'most'], { rebased: ['count', 'last'] })
export const barLocks = command('bar-locks', ['ends', 'token', 'lost'], { barred: ['rest'] })
