/**
 * Where may an event be sent?
 *
 * To an http or https URL without a name and password in it. An operator may be able to reach less than this service does, so a
 * receiver on its own machine or network is refused where the shop is open to others, unless a setting allows it. What counts is
 * the address, not the name: it is looked at in each new connection, after the name was resolved and before anything is sent, so
 * that a name which leads elsewhere by then is no way around. A redirect is not followed, for the same reason.
 */
import { type LookupAddress, lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

export const URL_MAX = 2_048

/** What is not the open network, by the registries of special addresses (RFC 6890 and its successors). */
const NOT_PUBLIC: readonly (readonly [net: string, prefix: number, family: 'ipv4' | 'ipv6'])[] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.0.2.0', 24, 'ipv4'],
  ['192.88.99.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['198.51.100.0', 24, 'ipv4'],
  ['203.0.113.0', 24, 'ipv4'],
  ['224.0.0.0', 3, 'ipv4'],
  // Within what is given out of IPv6 (2000::/3): what is special, and what leads to an IPv4 address that is not looked at.
  ['2001::', 23, 'ipv6'],
  ['2001:db8::', 32, 'ipv6'],
  ['2002::', 16, 'ipv6'],
  ['3fff::', 20, 'ipv6'],
]

const notPublic = new BlockList()
for (const [net, prefix, family] of NOT_PUBLIC) notPublic.addSubnet(net, prefix, family)
const givenOut = new BlockList()
givenOut.addSubnet('2000::', 3, 'ipv6')

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/** Is that an address of the open network? */
export const isPublic = (address: string): boolean => {
  const [, mapped] = MAPPED.exec(address) ?? []
  const one = mapped ?? address
  if (isIP(one) === 4) return !notPublic.check(one, 'ipv4')
  return isIP(one) === 6 && givenOut.check(one, 'ipv6') && !notPublic.check(one, 'ipv6')
}

/** Why nothing is sent to an address; the address itself is not told: it would show the names of the own network. */
const REFUSED = 'the receiver is on a network of the shop itself (ALLOW_PRIVATE_WEBHOOKS)'

/** The address that a URL names, if it names one and not a host. */
const addressIn = ({ hostname }: URL): string | undefined => {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(bare) === 0 ? undefined : bare
}

/** Why nothing is sent to this URL, as far as can be said without resolving a name. */
export const refusalOf = (url: URL, isPrivateAllowed: boolean): string | undefined => {
  const address = addressIn(url)
  return isPrivateAllowed || address === undefined || isPublic(address) ? undefined : REFUSED
}

/** Is that a URL to which events can be sent? */
export const isTarget = (text: string): boolean => {
  const url = URL.parse(text)
  if (url === null || text.length > URL_MAX || !/^https?:$/.test(url.protocol)) return false
  return url.username === '' && url.password === '' && url.hash === ''
}

/** Resolves names as usual, and fails if any of their addresses is not of the open network. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses: readonly LookupAddress[]) => {
    if (error) return callback(error, '')
    const [first] = addresses
    if (first === undefined || !addresses.every(({ address }) => isPublic(address)))
      return callback(new Error(REFUSED), '')
    if (options.all) return callback(null, [...addresses])
    callback(null, first.address, first.family)
  })
}
