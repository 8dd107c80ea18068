/**
 * How does an operator's tool ask a running shop?
 *
 * Over the gateway, as everybody does, with the operator's token if there is one: so a tool works wherever the shop runs.
 * Whatever changes anything bears a key of its own, so that the gateway may send it again if a replica dies meanwhile. An answer of the
 * shop is a value, whatever its status; that there is none, or that the token is not the right one, is a `ShopError`.
 */
import axios, { isAxiosError } from 'axios'
import { nanoid } from 'nanoid'
import type { Problem } from '../../shared/http/problem.ts'
import { HEADER_WORD_FORM, isHeaderWord } from '../../shared/process/config.ts'

/** The question could not be put: one sentence that says why, for people. */
export class ShopError extends Error {
  override readonly name: string = 'ShopError'
}

/** It was put, and answered: there is no such thing. */
export class UnknownError extends ShopError {
  override readonly name = 'UnknownError'
}

export type Answer = { readonly status: number; readonly body: unknown }

export type Ask = (method: 'GET' | 'POST' | 'DELETE', path: string) => Promise<Answer>

export type AskOptions = { readonly url: string; readonly token: string; readonly timeoutMs?: number }

/** In a container the shop is not on this machine. */
export const DEFAULT_URL = process.env.SHOP_URL ?? 'http://127.0.0.1:8000'
/** A service that cannot reach its own Redis says so within two seconds; one that takes longer does not answer. */
const TIMEOUT_MS = 3_000
/** What is taken for the answer of who did not give one in time. */
const NO_ANSWER = { status: 504, body: 'no answer in time' }

/** What a problem document says, or what came in its place. */
export const sentenceOf = ({ status, body }: Answer): string => {
  const { title, detail } = (typeof body === 'object' ? body : {}) as Partial<Problem>
  if (title === undefined) return status === NO_ANSWER.status ? NO_ANSWER.body : `${status}`
  const sentence = `${title.charAt(0).toLowerCase()}${title.slice(1)}`
  // Of a service that cannot be reached there is nothing more to be known.
  return status >= 500 ? sentence : `${sentence}: ${detail}`
}

/** The body of an answer. @throws ShopError if it is none of 200 */
export const wanted = <Body>(service: string, answer: Answer): Body => {
  if (answer.status === 200) return answer.body as Body
  throw new ShopError(`${service} ${answer.status >= 500 ? 'does not answer' : 'refuses'} (${sentenceOf(answer)})`)
}

/** Whether the shop says by this answer that it does not know what was asked for: an order, a saga, a letter. */
export const isUnknown = ({ status, body }: Answer): boolean =>
  status === 404 && /^urn:shop:problem:no-such-(?!route)/.test(String((body as Partial<Problem> | null)?.type))

/** Whether the shop has verified a token, and found it wrong, or not an operator's. */
const isRefusedToken = (body: unknown): boolean =>
  /^urn:shop:problem:(invalid-token|insufficient-scope)$/.test(String(Object(body).type))

/** @throws ShopError for an address or a token with which nothing can be asked. */
const assertAskable = (url: string, token: string): void => {
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw new ShopError(`--url must be an address as ${DEFAULT_URL}, not "${url}"`)
  if (!isHeaderWord(token)) throw new ShopError(`the operator token (--token or OPERATOR_TOKEN) ${HEADER_WORD_FORM}`)
}

export const askShop = ({ url, token, timeoutMs = TIMEOUT_MS }: AskOptions): Ask => {
  assertAskable(url, token)
  const http = axios.create({
    baseURL: url,
    timeout: timeoutMs,
    proxy: false,
    maxRedirects: 0,
    headers: token === '' ? {} : { Authorization: `Bearer ${token}` },
    validateStatus: () => true,
  })
  return async (method, path) => {
    const headers = method !== 'GET' ? { 'Idempotency-Key': nanoid() } : {}
    try {
      const { status, data } = await http.request<unknown>({ method, url: path, headers })
      if (isRefusedToken(data)) throw new ShopError(`the token is refused (${sentenceOf({ status, body: data })})`)
      if (status === 401) throw new ShopError('the shop wants an operator token: give --token, or set OPERATOR_TOKEN')
      if (status === 403) throw new ShopError('this is not the operator token that the shop was started with')
      if (status === 200 && typeof data !== 'object') throw new ShopError(`what answers at ${url} is no shop`)
      return { status, body: data }
    } catch (error) {
      if (!isAxiosError(error)) throw error
      // A service that is frozen behind the gateway: an answer that did not come in time.
      if (error.code === 'ECONNABORTED') return NO_ANSWER
      throw new ShopError(`no shop answers at ${url} (${error.code ?? error.message})`)
    }
  }
}
