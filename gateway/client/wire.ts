/**
 * How does a request reach the shop, and how often is it sent?
 *
 * One that has one effect however often it is sent is sent again while it gets no answer, or one that says to come later (502, 503, 504),
 * ever more seldom, and not before `Retry-After`, until that has gone on for a while. Any other is sent once.
 */
import { type ProblemDocument, ShopProblem, ShopUnreachable } from './errors.ts'

export type Sent = {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  readonly mayRepeat: boolean
  readonly signal: AbortSignal | undefined
  /** Sees each answer that ends it. */
  readonly onAnswer: (response: Response) => void
}

export type Answered = { readonly status: number; readonly headers: Headers; readonly body: unknown }

export type Wire = {
  /** Resolves with a success. @throws ShopProblem; ShopUnreachable; the reason of the signal; what gets the token */
  readonly send: (sent: Sent) => Promise<Answered>
}

export type WireOptions = {
  readonly tokenOf: () => string | undefined | Promise<string>
  readonly headers: Readonly<Record<string, string>>
  readonly retryForMs: number
  readonly answerMs: number
}

const PAUSE_MS = 100
const PAUSE_MAX_MS = 2_000

/** Resolves after a while; rejects with the reason of the signal when that is aborted. */
const pause = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
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

const isLater = (status: number): boolean => status === 502 || status === 503 || status === 504

/** After how many ms it may be sent again: `Retry-After` is in seconds, or a date. */
const afterMs = (headers: Headers): number => {
  const text = headers.get('retry-after') ?? '0'
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now()
  return ms > 0 ? ms : 0
}

type Received = { readonly response: Response; readonly body: unknown }

const isJson = (response: Response): boolean => /\bjson\b/.test(response.headers.get('content-type') ?? '')
/** The shop answers in JSON or in plain text: a success of another type is of something else that stands in its place. */
const isOfTheShop = (response: Response): boolean =>
  response.status === 204 || isJson(response) || /^text\/plain\b/.test(response.headers.get('content-type') ?? '')
const isDocument = (value: unknown): value is ProblemDocument =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'

/** @throws TypeError for a URL that nothing can be asked at, which does not pass by waiting; `fetch` takes none with a password */
const originOf = (url: string): string => {
  if (/^https?:\/\/[^@?#]+$/i.test(url) && URL.canParse(url)) return url.replace(/\/+$/, '')
  const shown = url.replace(/\/\/.*@/, '//...@')
  throw new TypeError(`the URL of the shop must be of the form http://host:port, not "${shown}"`)
}

export const openWire = (url: string, { tokenOf, headers, retryForMs, answerMs }: WireOptions): Wire => {
  const origin = originOf(url)

  const sendOnce = async (sent: Sent, token: string | undefined): Promise<Received> => {
    const within = AbortSignal.timeout(answerMs)
    const response = await fetch(origin + sent.path, {
      method: sent.method,
      headers: { ...headers, ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }), ...sent.headers },
      ...(sent.body === undefined ? {} : { body: sent.body }),
      signal: sent.signal ? AbortSignal.any([sent.signal, within]) : within,
      redirect: 'error',
    })
    const text = await response.text()
    if (response.ok && !isOfTheShop(response))
      throw new Error(`it was answered ${response.status}, but not by the shop`)
    if (response.status === 204) return { response, body: undefined }
    return { response, body: isJson(response) ? JSON.parse(text) : text }
  }

  /** Why it has not succeeded, and when it may be sent again, if it may. */
  const failureOf = (sent: Sent, { response, body }: Received): { readonly error: Error; readonly later?: number } => {
    const { status } = response
    const key = sent.headers['Idempotency-Key']
    const error = isDocument(body)
      ? new ShopProblem(sent.name, status, body, key)
      : new ShopUnreachable(sent.name, key, new Error(`it was answered ${status}, and no problem document`))
    return isLater(status) ? { error, later: afterMs(response.headers) } : { error }
  }

  const attempt = async (sent: Sent): Promise<Answered | { readonly error: Error; readonly later?: number }> => {
    const token = await tokenOf()
    let received: Received
    try {
      received = await sendOnce(sent, token)
    } catch (cause) {
      sent.signal?.throwIfAborted()
      return { error: new ShopUnreachable(sent.name, sent.headers['Idempotency-Key'], cause), later: 0 }
    }
    const { response, body } = received
    sent.onAnswer(response)
    return response.ok ? { status: response.status, headers: response.headers, body } : failureOf(sent, received)
  }

  return {
    send: async (sent) => {
      let until: number | undefined
      for (let pauseMs = PAUSE_MS; ; pauseMs = Math.min(PAUSE_MAX_MS, 2 * pauseMs)) {
        sent.signal?.throwIfAborted()
        const begunAt = performance.now()
        const answered = await attempt(sent)
        if (!('error' in answered)) return answered
        const { error, later } = answered
        until ??= begunAt + retryForMs
        const waitMs = Math.max(later ?? 0, pauseMs * (0.8 + 0.4 * Math.random()))
        if (!sent.mayRepeat || later === undefined || performance.now() + waitMs > until) throw error
        await pause(waitMs, sent.signal)
      }
    },
  }
}
