/**
 * How are clients served that know `/v1/distributed_lock`?
 *
 * They make a lock first, which many processes read or many write, or one writes alone; and speak of whoever has it by the id of
 * a process. A tenant (`user-id`) has names of its own. The lease of a process lies in the metadata of what it holds, since these
 * clients have none: so anybody who knows a process may release for it, as they are used to. One thing differs: a refresh never
 * acquires. They know no `Idempotency-Key`: what was done is told by what the same request meets then.
 */
import { nanoid } from 'nanoid'
import { isIdentifier } from '../../shared/contract/dictionary.ts'
import { impossible, throwAfterEffect, UnavailableError } from '../../shared/errors.ts'
import { type Handler, type Route, routes } from '../../shared/http/route.ts'
import { assertAwaited } from '../../shared/log/fence.ts'
import { PLAIN } from '../lock/lease.ts'
import { later, locksInDoubt, tooManyLocks } from '../lock/problems.ts'
import type { Holder, Lock } from '../lock/read-lock.ts'
import { inNameOf, type Verbs } from '../lock/verbs.ts'
import { distributedLock, type Kind, type ShownDistributedLock, TIMEOUT_S } from './api.ts'
import { duplicate, noSuchHolder, noSuchLock, notHeld, present, taken } from './problems.ts'

const nameOf = (user: string, id: string): string => `${user}/${id}`
const isOf = (kind: Kind, { mode }: Holder): boolean => (mode === 'read') === (kind === 'read-process')
const ttlOf = ({
  timeout: short,
  timeout_seconds: long,
}: {
  timeout?: number | undefined
  timeout_seconds?: number | undefined
}) => 1_000 * (short ?? long ?? TIMEOUT_S)

/** What lies in the metadata of what a process holds. */
const metadataOf = (process: string, lease: string, ttlMs: number) => ({
  process,
  lease,
  timeout: String(ttlMs / 1_000),
})

/** The lease of what a process holds. Who holds it otherwise may have put anything there. */
const leaseIn = ({ metadata: { lease = '' } }: Holder): string => (isIdentifier(lease) ? lease : '')

const shownAs = (id: string, { name, write, holders, history, madeAtMs }: Lock): ShownDistributedLock => {
  const listOf = (kind: Kind) =>
    holders
      .filter((holder) => isOf(kind, holder))
      .map(({ metadata, acquiredAtMs, owner }) => ({
        process_id: metadata.process ?? owner ?? '',
        lock_acquired_at: new Date(acquiredAtMs).toISOString(),
        timeout: Number(metadata.timeout ?? TIMEOUT_S),
      }))
  const [reading, writing] = [listOf('read-process'), listOf('write-process')]
  const updatedMs = history.at(-1)?.atMs ?? madeAtMs
  return {
    id: name,
    created_at: madeAtMs === null ? null : new Date(madeAtMs).toISOString(),
    updated_at: updatedMs === null ? null : new Date(updatedMs).toISOString(),
    lock_id: id,
    read_process_list: reading,
    write_process_list: writing,
    is_write_exclusive: write === 'exclusive',
    current_state: writing.length > 0 ? 'WRITE' : reading.length > 0 ? 'READ' : 'FREE',
  }
}

export type DistributedLockOptions = {
  readonly verbs: Pick<Verbs, 'acquire' | 'show' | 'configure' | 'renew' | 'release'>
  readonly nextLogId: () => string
}

type Api = typeof distributedLock
type Options = Pick<DistributedLockOptions, 'verbs'>

/** A lock that was made; what nobody has made is none to these clients. */
const find = async ({ verbs }: Options, user: string, id: string): Promise<Lock | undefined> => {
  const lock = await verbs.show(nameOf(user, id), false)
  return lock.write === null ? undefined : lock
}
/** The lock once something was done with it. */
const shown = async ({ verbs }: Options, user: string, id: string) => ({
  json: shownAs(id, await verbs.show(nameOf(user, id), false).catch(throwAfterEffect)),
})
/** What a process holds so, first the one that it came to hold first. */
const holdersOf = ({ holders }: Lock, kind: Kind, process: string): readonly Holder[] =>
  holders
    .filter((holder) => isOf(kind, holder) && holder.metadata.process === process)
    .toSorted((one, other) => one.token - other.token)

const makeFrom =
  ({ verbs, nextLogId }: DistributedLockOptions): Handler<Api['makeDistributedLock']> =>
  async (request) => {
    const { params, headers, query } = request
    const { lock: id } = params
    const { 'user-id': user } = headers
    if (await find({ verbs }, user, id)) return { problem: duplicate(id) }
    const write = query.is_write_exclusive ? 'exclusive' : 'shared'
    const wanted = { limit: undefined, write, delayMs: 0 } as const
    const made = await verbs.configure(nameOf(user, id), wanted, nextLogId(), inNameOf(request))
    if (made.state === 'in-use') return { problem: taken(id) }
    if (made.state === 'too-many') return later(undefined, tooManyLocks)
    // Another request has made it meanwhile.
    if (!made.isNew) return { problem: duplicate(id) }
    return { ...(await shown({ verbs }, user, id)), status: 201, headers: { Location: `/v1/distributed_lock/${id}` } }
  }

const holdFrom =
  ({ verbs }: Options): Handler<Api['holdDistributedLock']> =>
  async (request) => {
    const { params, headers, query } = request
    const { lock: id, kind, process } = params
    const { 'user-id': user } = headers
    const name = nameOf(user, id)
    const lock = await find({ verbs }, user, id)
    if (lock === undefined) return { problem: noSuchLock(id) }
    if (holdersOf(lock, kind, process).length > 0) return { problem: present(id, process) }
    const lease = nanoid()
    const ttlMs = ttlOf(query)
    const writing = lock.write === 'exclusive' ? 'exclusive' : 'write-shared'
    const mode = kind === 'read-process' ? 'read' : writing
    const wish = { ...PLAIN, mode, ttlMs, owner: process, metadata: metadataOf(process, lease, ttlMs) } as const
    const found = await verbs.acquire(name, lease, wish, inNameOf(request))
    switch (found.state) {
      case 'held': {
        // Of two requests of one process at one moment the first has it.
        const shownNow = await verbs.show(name, false).catch(throwAfterEffect)
        const [first] = holdersOf(shownNow, kind, process)
        if (first === undefined || first.token === found.token) return shown({ verbs }, user, id)
        await verbs.release(name, lease, inNameOf(request)).catch(throwAfterEffect)
        return { problem: present(id, process) }
      }
      case 'locked':
      case 'configured':
        return { problem: taken(id) }
      case 'barred':
        return later(found.restMs, (retry) => locksInDoubt(found.restMs, retry))
      case 'too-many':
        return later(undefined, tooManyLocks)
      // It held for its whole time, while the Redis was asked again what it had not answered.
      case 'ended':
        throw new UnavailableError(`process ${process} held the lock, and its time was over before that could be told`)
      default:
        return impossible('dialect.hold', found)
    }
  }

const refreshFrom =
  ({ verbs }: Options): Handler<Api['refreshDistributedLock']> =>
  async (request) => {
    const { params, headers, query } = request
    const { lock: id, kind, process } = params
    const { 'user-id': user } = headers
    const lock = await find({ verbs }, user, id)
    if (lock === undefined) return { problem: noSuchLock(id) }
    const [held] = holdersOf(lock, kind, process)
    if (held === undefined)
      return lock.holders.some((holder) => !isOf(kind, holder))
        ? { problem: taken(id) }
        : { problem: noSuchHolder(id, process) }
    const lease = leaseIn(held)
    const ttlMs = ttlOf(query)
    const change = { ttlMs, metadata: metadataOf(process, lease, ttlMs) }
    const renewed = await verbs.renew(nameOf(user, id), lease, change, inNameOf(request))
    return renewed.state === 'held' ? shown({ verbs }, user, id) : { problem: noSuchHolder(id, process) }
  }

const releaseFrom =
  ({ verbs }: Options): Handler<Api['releaseDistributedLock']> =>
  async (request) => {
    const { params, headers } = request
    const { lock: id, kind, process } = params
    const { 'user-id': user } = headers
    const lock = await find({ verbs }, user, id)
    // A process has no lease of its own here. Another replica may have released it, and the process may hold it again by now.
    assertAwaited(request)
    if (lock === undefined) return { problem: noSuchLock(id) }
    const [held] = holdersOf(lock, kind, process)
    const released = held && (await verbs.release(nameOf(user, id), leaseIn(held), inNameOf(request)))
    const isReleased = released?.state === 'ended' && released.ended === 'released'
    return isReleased ? shown({ verbs }, user, id) : { problem: notHeld(id, process) }
  }

export const distributedLockRoutes = (options: DistributedLockOptions): readonly Route[] =>
  routes(distributedLock, {
    makeDistributedLock: makeFrom(options),
    showDistributedLock: async ({ params: { lock: id }, headers }) => {
      const lock = await find(options, headers['user-id'], id)
      return lock ? { json: shownAs(id, lock) } : { problem: noSuchLock(id) }
    },
    holdDistributedLock: holdFrom(options),
    refreshDistributedLock: refreshFrom(options),
    releaseDistributedLock: releaseFrom(options),
  })
