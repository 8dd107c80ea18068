/**
 * Who may ask from a browser, and by which name?
 *
 * Any page can have its visitor's browser send requests to whatever that browser reaches, a shop on the same machine or
 * network for instance. Two things tell such requests from those that programs make, and no page can forge them:
 *
 * - *Whose page it is* (`Origin`, and `Sec-Fetch-Site` where a browser judges by itself). What may change something (anything
 *   but GET, HEAD and OPTIONS) is refused (403) for pages that are neither of the host that is asked nor of an origin that was
 *   allowed. Others may look, but not see: only for allowed origins does an answer let the browser show it to the page.
 * - *By which name* (`Host`). The owner of a name can have it lead to any address, and a page of that name is then of
 *   the host that is asked (DNS rebinding). So a server that is reached from this machine alone answers to this machine's names,
 *   and to those that were allowed; a request by another name is refused (421).
 *
 * A program sends neither header, and any name.
 */

import { isLoopback } from '../process/exposure.ts'
import { type Problem, problem } from './problem.ts'

/** What of a request is judged, besides its method. */
export type Visit = {
  /** The host that was asked, with its port if it has one; `''` if none was named, as no browser does. */
  readonly asked: string
  readonly origin: string | undefined
  /** `Sec-Fetch-Site` */
  readonly site: string | undefined
}

export type Visitors = {
  /** Why a client is not let in, if it is not. Called for every request: a program's costs a comparison or two. */
  readonly faultOf: (method: string, visit: Visit) => Problem | undefined
  /** May pages of this origin see what is answered, though they are of another host? */
  readonly isAllowed: (origin: string) => boolean
}

export type Allowed = { readonly hosts: readonly string[]; readonly origins: readonly string[] }

/** The name of a host without its port: `shop.example` of `Shop.example:8000`. */
const nameOf = (host: string): string => host.replace(/:\d*$/, '').toLowerCase()

/** Whether a page of this origin is of the host that is asked: it was got from there, over TLS or not. */
const isOwn = (origin: string, asked: string): boolean =>
  /^https?:\/\//.test(origin) && origin.slice(origin.indexOf('//') + 2) === asked.toLowerCase()

const changes = (method: string): boolean => method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS'

const wrongHost = (asked: string): Problem =>
  problem(
    421,
    'wrong-host',
    'Nobody of that name is here',
    `nobody here is known as "${nameOf(asked)}"; ALLOWED_HOSTS names the hosts by which the shop is to be reached`,
  )

export const foreignPage = (origin = 'another site'): Problem =>
  problem(
    403,
    'foreign-page',
    'A page of another site asks',
    `pages of ${origin} may not ask this shop; ALLOWED_ORIGINS names those that may`,
  )

/** Who may visit what listens on `host`, besides those of this machine where it is reached from there alone. */
export const openVisitors = (host: string, allowed: Allowed = { hosts: [], origins: [] }): Visitors => {
  const origins = new Set(allowed.origins)
  const hosts = new Set([...allowed.hosts, ...allowed.origins.map((origin) => new URL(origin).hostname)])
  const isForAll = allowed.hosts.length === 0 && !isLoopback(host)
  /** The name by which was asked last: nearly always the next one, too. */
  let known = ''

  const isKnown = (asked: string): boolean => {
    if (isForAll || asked === known) return true
    const name = nameOf(asked)
    if (!isLoopback(name.replace(/^\[|\]$/g, '')) && !hosts.has(name)) return false
    known = asked
    return true
  }

  const isForeign = ({ asked, origin, site }: Visit): boolean => {
    if (origin !== undefined && (origins.has(origin) || isOwn(origin, asked))) return false
    // Where a browser says so, the page is ours though a proxy in front has asked us by another name.
    if (site !== undefined) return site !== 'same-origin' && site !== 'none'
    return origin !== undefined
  }

  return {
    faultOf: (method, visit) => {
      if (!isKnown(visit.asked)) return wrongHost(visit.asked)
      if (visit.origin === undefined && visit.site === undefined) return undefined
      return changes(method) && isForeign(visit) ? foreignPage(visit.origin) : undefined
    },
    isAllowed: (origin) => origins.has(origin),
  }
}
