/** How are locks requested as `navigator.locks` has them? */
import type { AcquireOptions, Claim } from './acquiring.ts'
import { LockLostError } from './errors.ts'
import type { Lock, Work } from './held-lock.ts'
import type { Reading } from './reading.ts'

/** As `LockOptions` of the Web Locks. */
export type RequestOptions = {
  readonly mode?: 'exclusive' | 'shared'
  readonly ifAvailable?: boolean
  readonly steal?: boolean
  readonly signal?: AbortSignal
}
type WebLock = { readonly name: string; readonly mode: 'exclusive' | 'shared' }
type Callback<Result> = (lock: WebLock | null) => Result | Promise<Result>
type WebLockInfo = WebLock & { readonly clientId: string }

export type WebLocks = {
  /** As `navigator.locks.request`; to steal is for operators. */
  readonly request: {
    <Result>(name: string, callback: Callback<Result>): Promise<Result>
    <Result>(name: string, options: RequestOptions, callback: Callback<Result>): Promise<Result>
  }
  /** As `navigator.locks.query`; for operators. */
  readonly query: () => Promise<{ readonly held: readonly WebLockInfo[]; readonly pending: readonly WebLockInfo[] }>
}

export type WebLocksOptions = {
  readonly acquire: (name: string, options: AcquireOptions & Pick<Claim, 'onWaiting'>) => Promise<Lock>
  readonly tryAcquire: (name: string, options: AcquireOptions) => Promise<Lock | null>
  readonly doUnder: <Result>(lock: Lock, work: Work<Result>) => Promise<Result>
  /** Has nobody hold it any more by this token. @throws LockRefusedError if the client is no operator */
  readonly force: (name: string, token: number) => Promise<void>
  readonly info: Reading['info']
  readonly list: Reading['list']
}

const FIRST = 1_000

const notSupported = (why: string): DOMException => new DOMException(why, 'NotSupportedError')

/** What speaks against a request, as the Web Locks have it. */
const objectionTo = (name: string, { mode, ifAvailable, steal, signal }: RequestOptions): DOMException | undefined => {
  if (name.startsWith('-')) return notSupported('a name must not begin with "-"')
  if (steal && ifAvailable) return notSupported('"steal" and "ifAvailable" must not be given together')
  if (steal && mode === 'shared') return notSupported('"steal" is for exclusive locks')
  return signal && (steal || ifAvailable)
    ? notSupported('"signal" must not be given with "steal" or "ifAvailable"')
    : undefined
}

const infoOf = (name: string, lease: { readonly mode: string; readonly owner: string | null }): WebLockInfo => ({
  name,
  mode: lease.mode === 'exclusive' ? 'exclusive' : 'shared',
  clientId: lease.owner ?? '',
})

export const openWebLocks = ({ acquire, tryAcquire, doUnder, force, info, list }: WebLocksOptions): WebLocks => {
  /** Whoever holds while it still waits is another one: so neither it nor one that only waits is robbed, whatever happens meanwhile. */
  const rob = async (name: string, isWaiting: () => Promise<boolean>): Promise<void> => {
    for (;;) {
      const { holders } = await info(name)
      if (!(await isWaiting()) || holders.length === 0) return
      for (const { token } of holders) await force(name, token)
    }
  }

  const requestBy = async <Result>(
    name: string,
    wanted: RequestOptions,
    callback: Callback<Result>,
  ): Promise<Result> => {
    const { mode = 'exclusive', ifAvailable = false, steal = false, signal } = wanted
    const objection = objectionTo(name, wanted)
    if (objection) throw objection
    signal?.throwIfAborted()
    // Who steals it is the next in line before it is forced, or somebody else who waits would have it.
    const first = steal
      ? { priority: FIRST, onWaiting: (isWaiting: () => Promise<boolean>) => rob(name, isWaiting) }
      : {}
    const asked = { mode, signal, wait: Number.MAX_SAFE_INTEGER, ...first }
    const lock = ifAvailable ? await tryAcquire(name, asked) : await acquire(name, asked)
    if (lock === null) return callback(null)
    try {
      return await doUnder(lock, () => callback({ name, mode }))
    } catch (error) {
      if (!(error instanceof LockLostError)) throw error
      throw new DOMException(error.message, { name: 'AbortError', cause: error })
    }
  }

  return {
    request: <Result>(name: string, second: RequestOptions | Callback<Result>, third?: Callback<Result>) => {
      if (typeof second === 'function') return requestBy(name, {}, second)
      if (third === undefined) return Promise.reject(new TypeError('a callback is wanted'))
      return requestBy(name, second, third)
    },
    query: async () => {
      const held: WebLockInfo[] = []
      const pending: WebLockInfo[] = []
      for await (const { name, holders, waiters = [] } of list({ waiters: true })) {
        held.push(...holders.map((holder) => infoOf(name, holder)))
        pending.push(...waiters.map((waiter) => infoOf(name, waiter)))
      }
      return { held, pending }
    },
  }
}
