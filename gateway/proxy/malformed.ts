/**
 * What of a request is malformed, though Node's parser took it?
 *
 * RFC 9112 has a server refuse what two readers may understand differently, for then two requests can be made of one: `Host` twice, not
 * at all or not a host (3.2), a transfer coding that is not `chunked` alone (6.1, 6.3), another version than HTTP/1 (2.3), a fragment.
 * Both lengths at once, a length twice, folded lines and spaces before a colon are refused by the parser.
 */

import type { IncomingMessage } from 'node:http'
import { type Problem, problem } from '../../shared/http/problem.ts'
import type { Passed } from './headers.ts'

/** What was asked for, and the host if it was named with it (absolute form: 3.2.2), which then counts and not the header. */
export type Target = { readonly path: string; readonly authority: string | undefined }

const HOST = "(?:\\[[\\da-f:.]+\\]|[\\w.~!$&'()*+;=%-]*)(?::\\d*)?"
const IS_HOST = new RegExp(`^${HOST}$`, 'i')
const ABSOLUTE = new RegExp(`^https?://(${HOST})([/?].*)?$`, 'i')
const SLASH = 47

/** The target as the shop's routes know it; as it is, if it is none of theirs. */
export const targetOf = (url: string): Target => {
  if (url.charCodeAt(0) === SLASH) return { path: url, authority: undefined }
  const [, authority, path = '/'] = ABSOLUTE.exec(url) ?? []
  if (authority === undefined) return { path: url, authority: undefined }
  return { path: path.charCodeAt(0) === SLASH ? path : `/${path}`, authority }
}

const malformed = (detail: string): Problem => problem(400, 'malformed', 'The request is malformed', detail)

/** What is wrong with it, as a problem; `undefined` if nothing is. */
export const faultOf = (request: IncomingMessage, target: Target, passed: Passed): Problem | undefined => {
  const { httpVersionMajor, httpVersionMinor } = request
  const { hosts, host, transferCoding } = passed
  if (httpVersionMajor !== 1)
    return problem(505, 'version-not-supported', 'HTTP version not supported', 'this is HTTP/1.1')
  if (hosts > 1) return malformed('"Host" may be given once')
  if (hosts === 0 && httpVersionMinor > 0) return malformed('"Host" is missing')
  if (!IS_HOST.test(host)) return malformed('"Host" must be a host, with a port or without')
  if (transferCoding !== undefined) {
    const fault = faultOfCoding(transferCoding.toLowerCase(), httpVersionMinor)
    if (fault) return fault
  }
  const { path } = target
  if (path.includes('#')) return malformed('a fragment is not asked for')
  if (target.authority === '' || (path.charCodeAt(0) !== SLASH && path !== '*'))
    return malformed('the target must be a path, or an http URL with a host')
  return undefined
}

const faultOfCoding = (coding: string, httpVersionMinor: number): Problem | undefined => {
  if (httpVersionMinor === 0) return malformed('HTTP/1.0 knows no "Transfer-Encoding"')
  if (coding === 'chunked') return undefined
  if (!/,\s*chunked$/.test(coding)) return malformed('the last transfer coding must be "chunked"')
  return problem(501, 'not-implemented', 'Not implemented', 'the only transfer coding is "chunked"')
}
