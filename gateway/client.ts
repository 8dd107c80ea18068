/**
 * How does a program use the shop?
 *
 * By this client, which needs nothing but `fetch`: this file and the folder beside it may be copied into any program. It has one
 * function for each operation of the contract, by its name, whose types are those of the contract.
 *
 *     const shop = shopClient('http://127.0.0.1:8000', { token })
 *     const { order_id: order } = await shop.placeOrder({ body: { user_id, lines: [{ item_id, quantity: 2 }] } })
 *     await shop.checkout({ params: { order } })
 *
 * - What is to have one effect bears an `Idempotency-Key`, always the same however often it is sent.
 * - What gets no answer, or 502, 503 or 504, is sent again for a while if it then has one effect, ever more seldom and not before the
 *   shop wants it (`Retry-After`). Anything else is sent once.
 * - A thing is changed from the version in which this client was last shown it (`If-Match`). A program that serves many at once makes
 *   a client for each of them, so that nobody overwrites what only another has seen. What is wanted whatever has become of the thing, as to
 *   cancel, delete or refund it, is done in any version, if the program does not name one.
 * - What is refused is thrown as a `ShopProblem`, and an answer that does not come as a `ShopUnreachable`.
 */
import { type Asked, OPERATIONS, type Operations } from './client/contract.ts'
import { openVersions, type Versions } from './client/versions.ts'
import { openWire, type Wire } from './client/wire.ts'

export type ShopClientOptions = {
  /** What the shop knows the caller by: a token, or what gets one that is valid now. */
  readonly token?: string | (() => string | Promise<string>)
  /** What each request bears besides. */
  readonly headers?: Readonly<Record<string, string>>
  /** For how many ms what may be sent again is sent again; default 10,000. */
  readonly retryForMs?: number
  /** After how many ms without an answer a request is given up; default 40,000, which is more than the gateway takes. */
  readonly answerMs?: number
}

type Name = keyof Operations

/** What a single request may say besides what its operation takes. */
export type RequestOptions = {
  /** The `Idempotency-Key`, of a program that would send the same again after a crash; default: one that is made for this request. */
  readonly key?: string
  /** The `ETag` from which a thing is changed, or `*`; default: of a change the one last shown, else any. */
  readonly ifMatch?: string
  /** The token of the lock under which it is done. */
  readonly lockToken?: number
  /** For instance `respond-async`. */
  readonly prefer?: string
  readonly signal?: AbortSignal
}

export type Given<N extends Name> = Operations[N]['given'] & RequestOptions
type Args<N extends Name> = Record<never, never> extends Operations[N]['given'] ? [given?: Given<N>] : [given: Given<N>]

/** A success: `status` says which of those of the operation, and so what `body` is. */
export type Success<N extends Name> = {
  [Status in keyof Operations[N]['answers']]: {
    readonly status: Status
    readonly body: Operations[N]['answers'][Status]
    readonly headers: Headers
  }
}[keyof Operations[N]['answers']]

export type ShopClient = {
  /** Resolves with the body of a success. @throws ShopProblem; ShopUnreachable; the reason of the signal */
  readonly [N in Name]: (...args: Args<N>) => Promise<Success<N>['body']>
} & {
  /** The same, with the status and the headers of the success. */
  readonly ask: <N extends Name>(name: N, ...args: Args<N>) => Promise<Success<N>>
}

type Text = string | number | undefined
/** What any operation may be given. */
type Wanted = RequestOptions & {
  readonly params?: Readonly<Record<string, Text>>
  readonly query?: Readonly<Record<string, Text>> | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

const RETRY_FOR_MS = 10_000
const ANSWER_MS = 40_000

const pathIn = (template: string, params: Wanted['params'] = {}): string =>
  template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name])))

const targetOf = (path: string, query: Wanted['query'] = {}): string => {
  const fields = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  )
  return fields.length === 0 ? path : `${path}?${new URLSearchParams(fields)}`
}

/** One key for all the times that it is sent: of what has one effect only so, or may find later that it has changed meanwhile. */
const keyOf = ({ method, again }: Asked, { key, lockToken }: Wanted, ifMatch: string | undefined) => {
  if (key !== undefined || again === 'under-a-key') return key ?? crypto.randomUUID()
  const isConditional = ifMatch !== undefined || lockToken !== undefined
  return method !== 'GET' && again === 'as-it-is' && isConditional ? crypto.randomUUID() : undefined
}

const askOf = (wire: Wire, versions: Versions) => {
  return async (name: Name, given: Wanted = {}) => {
    const asked: Asked = OPERATIONS[name]
    const { params, query, body, prefer = asked.shows && 'return=representation', lockToken, signal } = given
    const path = pathIn(asked.path, params)
    const thing = asked.version === undefined ? path : pathIn(asked.version, params)
    const shown = asked.method === 'PATCH' && asked.version !== undefined ? versions.lastShown(thing) : undefined
    const ifMatch = given.ifMatch ?? shown
    const key = keyOf(asked, given, ifMatch)
    const headers: Record<string, string> = { ...given.headers }
    if (body !== undefined) headers['Content-Type'] = 'application/json'
    if (key !== undefined) headers['Idempotency-Key'] = key
    if (ifMatch !== undefined) headers['If-Match'] = ifMatch
    if (lockToken !== undefined) headers['If-Lock-Token'] = String(lockToken)
    if (prefer !== undefined) headers.Prefer = prefer
    return wire.send({
      name,
      method: asked.method,
      path: targetOf(path, query),
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      mayRepeat: key !== undefined || asked.again === 'as-it-is',
      signal,
      onAnswer: (response) => versions.note(asked, path, thing, response),
    })
  }
}

/** @throws TypeError for a URL of another form than `http://host:port` */
export const shopClient = (url: string, options: ShopClientOptions = {}): ShopClient => {
  const { token, headers = {}, retryForMs = RETRY_FOR_MS, answerMs = ANSWER_MS } = options
  const tokenOf = typeof token === 'function' ? token : () => token
  const ask = askOf(openWire(url, { tokenOf, headers, retryForMs, answerMs }), openVersions())
  const verbs = Object.keys(OPERATIONS).map((name) => [
    name,
    async (given?: Wanted) => (await ask(name as Name, given)).body,
  ])
  // Each is asked as its operation says, and the shop answers what the contract lists.
  return { ...Object.fromEntries(verbs), ask } as ShopClient
}
