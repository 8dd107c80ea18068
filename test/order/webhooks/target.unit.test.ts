/** Where may an event be sent, where others can reach the shop? */
import { lookup } from 'node:dns/promises'
import test from 'ava'
import { isPublic, isTarget, publicLookup, refusalOf } from '../../../order/webhooks/target.ts'

const PUBLIC = ['1.1.1.1', '8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111', '2a00::1', '::ffff:8.8.8.8']
const PRIVATE = [
  ...['127.0.0.1', '127.255.255.255', '0.0.0.0', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.0.1'],
  ...['169.254.169.254', '100.64.0.1', '192.0.0.1', '192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.1'],
  ...['224.0.0.1', '239.255.255.255', '255.255.255.255', '240.0.0.1'],
  ...['::1', '::', 'fe80::1', 'fc00::1', 'fd12::1', 'ff02::1', '::ffff:127.0.0.1', '::FFFF:10.0.0.1', '::127.0.0.1'],
  ...['64:ff9b::7f00:1', '64:ff9b:1::1', '2002:7f00:1::', '2001::1', '2001:db8::1', '100::1', '5f00::1', '3fff::1'],
  ...['::ffff:7f00:1', 'not-an-address', ''],
]
/** The same addresses, and names for them, as URLs may write them. */
const WRITTEN = [
  '127.1',
  '2130706433',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '[0:0::0:1]',
  '１２７.0.0.1',
]

test('an address of the open network is told from any other', (t) => {
  for (const address of PUBLIC) t.true(isPublic(address), address)
  for (const address of PRIVATE) t.false(isPublic(address), address)
})

test('it is refused in whatever notation, unless it is allowed', (t) => {
  for (const host of WRITTEN) {
    t.regex(
      refusalOf(new URL(`http://${host}/`), false) ?? '',
      /^the receiver is on a network of the shop itself/,
      host,
    )
    t.is(refusalOf(new URL(`http://${host}/`), true), undefined)
  }
  t.is(refusalOf(new URL('http://8.8.8.8/'), false), undefined)
  // What a name leads to is known when it is resolved.
  t.is(refusalOf(new URL('http://localhost/'), false), undefined)
})

test('a name that leads there is refused when it is resolved, and one address of several is enough', async (t) => {
  t.truthy(await lookup('localhost'))
  for (const all of [true, false]) {
    const { promise, resolve } = Promise.withResolvers<Error | null>()
    publicLookup('localhost', { all }, (error) => resolve(error))
    t.regex((await promise)?.message ?? '', /on a network of the shop itself/)
  }
})

test('a URL is one of http or https, and bears no name, password or fragment', (t) => {
  for (const url of ['http://a.example', 'https://a.example:8443/hook?key=1', 'http://127.0.0.1:9000/'])
    t.true(isTarget(url), url)
  for (const url of [
    ...[
      '',
      'a.example',
      '/hook',
      'ftp://a.example/',
      'file:///etc/passwd',
      'javascript:alert(1)',
      'http://',
      'http://a b/',
    ],
    ...[
      'http://user@a.example/',
      'http://user:word@a.example/',
      'http://a.example/#x',
      `http://a.example/${'x'.repeat(2_048)}`,
    ],
  ])
    t.false(isTarget(url), url)
})
