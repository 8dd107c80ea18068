/**
 * Which headers pass?
 *
 * All but those that speak of one connection (RFC 9110, 7.6.1): `Connection` and whatever it names, `Keep-Alive`, `TE`,
 * `Trailer`, `Transfer-Encoding`, `Upgrade`, `Proxy-*`; and `Expect`, which the gateway has answered itself. The length of a
 * request's body is told anew, as is its `Host`. From where a client asks is told by the gateway alone (`X-Forwarded-For`): its own
 * word on it is dropped, and that of a proxy which is trusted is read; by which name it asked no service need know. `X-Request-Id` is
 * passed if it is sane and made if it is not. Whose page asks (`Origin`, `Sec-Fetch-Site`) is judged here: a service is asked by no
 * page. Who asks (`shop-caller`) and that the gateway says so (`shop-gateway`) a client cannot say, in no spelling that some server
 * could take for it; and what it authorises itself with (`Authorization`) goes on only where services are to judge it.
 *
 * This is done for every request, so names are compared once each and nothing is copied that need not be.
 */

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { nanoid } from 'nanoid'
import { ADDRESS_HEADER, CALLER_HEADER, GATEWAY_HEADER } from '../../shared/http/caller.ts'

const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
]
const DROPPED_FROM_REQUEST: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'authorization',
  CALLER_HEADER,
  CALLER_HEADER.replace('-', '_'),
  GATEWAY_HEADER,
  GATEWAY_HEADER.replace('-', '_'),
  'expect',
  'host',
  'content-length',
  'origin',
  'sec-fetch-site',
  'forwarded',
  ADDRESS_HEADER,
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-request-id',
])
const DROPPED_FROM_RESPONSE: ReadonlySet<string> = new Set([...HOP_BY_HOP, 'x-request-id'])

const REQUEST_ID = /^[\w.:-]{1,128}$/

/** What of a request goes on to a service. */
export type Passed = {
  /** Name, value, name, value, ... */
  readonly headers: string[]
  readonly requestId: string
  /** The length the client declared; `undefined` where it sends chunks until it is done. */
  readonly bodyBytes: number | undefined
  /** An `Idempotency-Key` goes on that may be one: not an empty one, and none that `Connection` names. */
  readonly hasKey: boolean
  /** An `If-Lock-Token` was sent. */
  readonly hasLockToken: boolean
  /** The host that was asked, and how often it was named. */
  readonly host: string
  readonly hosts: number
  /** All of them: several headers say the same as one with a list. */
  readonly transferCoding: string | undefined
  /** The host that was asked: that of the target, if it names one. */
  readonly asked: string
  /** From which address it comes. */
  readonly address: string
  /** Whose page it comes from; `undefined` for programs. */
  readonly origin: string | undefined
  readonly site: string | undefined
  /** What it authorises itself with, which does not go on by itself, and how often it says so. */
  readonly authorization: string | undefined
  readonly authorizations: number
  /** Of which trace it is, if it is sampled. */
  readonly traceId?: string | undefined
}

const KEY = 'idempotency-key'
const LOCK_TOKEN = 'if-lock-token'

/** The header names that a `Connection` header lists, in lower case. */
const listed = (connection: string): ReadonlySet<string> =>
  new Set(connection.split(',').map((name) => name.trim().toLowerCase()))

/** The usual values name no header of their own. */
const namesHeaders = (connection: string): boolean => connection !== 'keep-alive' && connection !== 'close'

/** The address of a client: that of the connection, or what `X-Forwarded-For` says, as far as that can be trusted. */
export type AddressOf = (connected: string, forwardedFor: string | undefined) => string

const ofConnection: AddressOf = (connected) => connected

/** A client that named the host with the target (`authority`) does not mean that of the header. */
export const passRequest = (
  request: IncomingMessage,
  authority?: string,
  addressOf: AddressOf = ofConnection,
): Passed => {
  const raw = request.rawHeaders
  const headers: string[] = []
  let requestId = ''
  let host = ''
  let hosts = 0
  let transferCoding: string | undefined
  let origin: string | undefined
  let site: string | undefined
  let forwardedFor: string | undefined
  let authorization: string | undefined
  let authorizations = 0
  let connection = ''
  let bodyBytes: number | undefined = 0
  let hasKey = false
  let hasLockToken = false
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase()
    const value = raw[i + 1] as string
    if (!DROPPED_FROM_REQUEST.has(name)) {
      headers.push(name, value)
      if (name === KEY) hasKey = value !== ''
      else if (name === LOCK_TOKEN) hasLockToken = true
    } else if (name === 'host') {
      host = value
      hosts += 1
    } else if (name === 'authorization') {
      authorization ??= value
      authorizations += 1
    } else if (name === 'connection') connection = connection === '' ? value : `${connection},${value}`
    else if (name === 'content-length') bodyBytes = Number(value)
    else if (name === 'transfer-encoding') {
      bodyBytes = undefined
      transferCoding = transferCoding === undefined ? value : `${transferCoding}, ${value}`
    } else if (name === 'origin') origin = value
    else if (name === 'sec-fetch-site') site = value
    else if (name === ADDRESS_HEADER) forwardedFor = forwardedFor === undefined ? value : `${forwardedFor},${value}`
    else if (name === 'x-request-id' && REQUEST_ID.test(value)) requestId = value
  }
  let passed = headers
  if (connection !== '' && namesHeaders(connection)) {
    const names = listed(connection)
    passed = without(headers, names)
    hasKey &&= !names.has(KEY)
    if (names.has('authorization')) authorization = undefined
  }
  if (requestId === '') requestId = nanoid()
  const asked = authority ?? host
  const address = addressOf(request.socket.remoteAddress ?? 'unknown', forwardedFor)
  passed.push('x-request-id', requestId, ADDRESS_HEADER, address)
  const client = { asked, address, origin, site, authorization, authorizations }
  return { headers: passed, requestId, bodyBytes, hasKey, hasLockToken, host, hosts, transferCoding, ...client }
}

const without = (headers: readonly string[], names: ReadonlySet<string>): string[] => {
  const kept: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string
    if (!names.has(name)) kept.push(name, headers[i + 1] as string)
  }
  return kept
}

/** The headers of a reply as they go on to the client: name, value, name, value, ... */
export const passResponse = (headers: IncomingHttpHeaders, requestId: string): string[] => {
  const passed: string[] = ['x-request-id', requestId]
  const connection = headers.connection
  const named = connection !== undefined && namesHeaders(connection) ? listed(connection) : undefined
  for (const name in headers) {
    if (DROPPED_FROM_RESPONSE.has(name) || named?.has(name)) continue
    const value = headers[name]
    if (typeof value === 'string') passed.push(name, value)
    else if (value !== undefined) for (const one of value) passed.push(name, one)
  }
  return passed
}
