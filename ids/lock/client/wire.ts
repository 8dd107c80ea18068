/**
 * How is the lock service asked?
 *
 * Each request names its lease, so it may be sent again whatever became of it: one that gets no answer, or that the service does
 * not want now (429, 502, 503, 504), is sent again, ever more seldom, until it has failed for `forMs`. A success that is no JSON
 * is no answer.
 */
import { LockRefusedError, LockUnavailableError } from './errors.ts'

export type Json = Readonly<Record<string, unknown>>
export type Answer = {
  readonly status: number
  readonly json: Json
  /** When this was asked, of `performance.now()`: what the answer says is as of a moment after it. */
  readonly askedAt: number
}

export type Patience = {
  /** The caller does not want it any more. */
  readonly signal?: AbortSignal | undefined
  /** For how long it is sent again that gets no answer. */
  readonly forMs?: number | undefined
  /** For how long the service may take for its answer, beside the time of the way. */
  readonly answerMs?: number
}

export type Wire = {
  /** @throws LockUnavailableError; the reason of the signal */
  readonly ask: (method: string, path: string, body?: Json, patience?: Patience) => Promise<Answer>
  /** Opens what does not end. @throws LockUnavailableError, LockRefusedError */
  readonly open: (path: string, headers: Readonly<Record<string, string>>, signal?: AbortSignal) => Promise<Response>
}

export type WireOptions = {
  readonly headers: Readonly<Record<string, string>>
  readonly forMs: number
}

const WAY_MS = 5_000
const PAUSE_MS = 50
const PAUSE_MAX_MS = 2_000

/** Resolves after a while; rejects with the reason of the signal when that is aborted. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })

/** Aborted by the signal, or after so long; without leaving a listener at the signal. */
const bounded = (signal: AbortSignal | undefined, ms: number) => {
  const controller = new AbortController()
  const onAbort = (): void => controller.abort(signal?.reason)
  if (signal?.aborted) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer = setTimeout(() => controller.abort(new Error(`no answer within ${ms} ms`)), ms)
  return {
    signal: controller.signal,
    [Symbol.dispose]: (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    },
  }
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
/** A client that asks too often is to ask later. Where a lease is asked for it may be that there is no room, which is another matter. */
const isNotNow = (status: number, method = 'GET'): boolean =>
  status === 502 || status === 503 || status === 504 || (status === 429 && method !== 'PUT')

/** @throws Error if it is a success that is no answer of the service: a page of whatever stands in its place */
const jsonIn = async (response: Response): Promise<Json> => {
  const text = await response.text()
  if (!/\bjson\b/.test(response.headers.get('content-type') ?? '')) {
    if (response.ok) throw new Error(`it was answered ${response.status} with what is no JSON`)
    return { detail: text }
  }
  const value: unknown = JSON.parse(text)
  return isObject(value) ? value : { value }
}

/** @throws TypeError for a URL that nothing can be asked at, which does not pass by waiting; `fetch` takes none with a password */
const originOf = (url: string): string => {
  if (/^https?:\/\/[^@?#]+$/i.test(url) && URL.canParse(url)) return url.replace(/\/+$/, '')
  const shown = url.replace(/\/\/.*@/, '//...@')
  throw new TypeError(`the URL of the shop must be of the form http://host:port, not "${shown}"`)
}

export const openWire = (url: string, options: WireOptions): Wire => {
  const origin = originOf(url)

  const askOnce = async (method: string, path: string, body: Json | undefined, patience: Patience): Promise<Answer> => {
    const { signal, answerMs = 0 } = patience
    using within = bounded(signal, answerMs + WAY_MS)
    const askedAt = performance.now()
    const response = await fetch(origin + path, {
      method,
      headers: { ...options.headers, ...(body ? { 'Content-Type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: within.signal,
    })
    return { status: response.status, json: await jsonIn(response), askedAt }
  }

  return {
    ask: async (method, path, body, patience = {}) => {
      const { signal, forMs = options.forMs } = patience
      let until: number | undefined
      for (let pauseMs = PAUSE_MS; ; pauseMs = Math.min(PAUSE_MAX_MS, 2 * pauseMs)) {
        signal?.throwIfAborted()
        let failure: unknown
        const startedAt = performance.now()
        try {
          const answer = await askOnce(method, path, body, patience)
          if (!isNotNow(answer.status, method)) return answer
          failure = new LockRefusedError(answer.status, answer.json)
        } catch (error) {
          signal?.throwIfAborted()
          failure = error
        }
        until ??= startedAt + forMs
        const restMs = until - performance.now()
        if (restMs <= 0) throw new LockUnavailableError(failure)
        await pause(Math.min(restMs, pauseMs * (0.8 + 0.4 * Math.random())), signal)
      }
    },
    open: async (path, headers, signal) => {
      let response: Response
      try {
        response = await fetch(origin + path, {
          headers: { ...options.headers, ...headers },
          ...(signal ? { signal } : {}),
        })
      } catch (error) {
        signal?.throwIfAborted()
        throw new LockUnavailableError(error)
      }
      if (response.ok) return response
      const refused = new LockRefusedError(response.status, await jsonIn(response))
      throw isNotNow(response.status) ? new LockUnavailableError(refused) : refused
    },
  }
}
