/**
 * From which address does a request come?
 *
 * From that of its connection; or, where that is a proxy's which is trusted, from the one for which the proxy says that it asks: the
 * right-most address of `X-Forwarded-For` that is no such proxy's. Whatever stands further left was said by a client, who may say anything.
 *
 * One client has many addresses of IPv6: nobody is given less than a /64, so that is what counts.
 */

import { BlockList, isIP, SocketAddress } from 'node:net'

const MAPPED = '::ffff:'

/** `1.2.3.4`, `1.2.3.4:80`, `2001:db8::1`, `[2001:db8::1]` and `[2001:db8::1]:80`, as proxies write it. */
const FORWARDED = /^\s*"?(?:\[([\da-f:.]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+)(?::\d+)?|([\da-f:.]+))"?\s*$/i

/** An address as Node writes it: IPv4 where it is mapped into IPv6, and without a zone. */
const plain = (address: string): string => {
  const zone = address.indexOf('%')
  const bare = zone === -1 ? address : address.slice(0, zone)
  return bare.startsWith(MAPPED) && bare.includes('.') ? bare.slice(MAPPED.length) : bare
}

/** The address that one part of the header names; `undefined` if it names none, as `unknown` does not. */
const named = (part: string): string | undefined => {
  const [, bracketed, four, six] = FORWARDED.exec(part) ?? []
  const address = bracketed ?? four ?? six ?? ''
  const version = isIP(address)
  if (version === 0) return undefined
  return version === 4 ? address : plain(new SocketAddress({ address, family: 'ipv6' }).address)
}

/** Which addresses are a trusted proxy's. */
export type Proxies = { readonly has: (address: string) => boolean }

const NONE: Proxies = { has: () => false }

/** @throws Error naming the range that is none */
export const proxiesIn = (ranges: readonly string[]): Proxies => {
  if (ranges.length === 0) return NONE
  const list = new BlockList()
  for (const range of ranges) {
    const [, network = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(range) ?? []
    const version = isIP(network)
    const most = version === 6 ? 128 : 32
    const prefix = bits === undefined ? most : Number(bits)
    if (version === 0 || prefix > most)
      throw new Error(`must be addresses or ranges of them (10.0.0.0/8), not "${range}"`)
    list.addSubnet(network, prefix, version === 6 ? 'ipv6' : 'ipv4')
  }
  return {
    has: (address) => {
      // A connection that has ended meanwhile has none.
      const version = isIP(address)
      return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4')
    },
  }
}

/** The address of a client, of its connection or as trusted proxies say. */
export const addressOf = (connected: string, forwardedFor: string | undefined, proxies: Proxies): string => {
  let address = plain(connected)
  if (forwardedFor === undefined || !proxies.has(address)) return address
  // From the right, and no further than need be: what stands there was perhaps written by a client, to whatever length.
  for (let end = forwardedFor.length; end > 0; ) {
    const comma = forwardedFor.lastIndexOf(',', end - 1)
    const before = named(forwardedFor.slice(comma + 1, end))
    if (before === undefined) return address
    address = before
    if (!proxies.has(address)) return address
    end = comma
  }
  return address
}

/** What of an address counts as one client: an address of IPv4, or the /64 of one of IPv6. */
export const clientAt = (address: string): string => {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length)
  const all = [...groups, ...Array.from({ length: Math.max(missing, 0) }, () => '0'), ...(tail ?? '').split(':')]
  return `${all.slice(0, 4).join(':')}::/64`
}
