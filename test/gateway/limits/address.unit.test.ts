import test from 'ava'
import { addressOf, clientAt, proxiesIn } from '../../../gateway/limits/address.ts'

const proxies = proxiesIn(['10.0.0.0/8', '192.0.2.7', 'fd00::/8'])

const cases: readonly (readonly [what: string, connected: string, forwardedFor: string | undefined, client: string])[] =
  [
    ['the address of the connection', '198.51.100.1', undefined, '198.51.100.1'],
    ['the connection, whatever a client says that is no proxy', '198.51.100.1', '203.0.113.9', '198.51.100.1'],
    ['whom a trusted proxy names', '10.1.2.3', '203.0.113.9', '203.0.113.9'],
    ['the same if the proxy comes over an IPv6 socket', '::ffff:10.1.2.3', '203.0.113.9', '203.0.113.9'],
    [
      'the right-most that is no proxy: a client may write the others',
      '10.1.2.3',
      '1.1.1.1, 203.0.113.9',
      '203.0.113.9',
    ],
    ['the one before a row of proxies', '10.1.2.3', '203.0.113.9, 192.0.2.7,10.9.9.9', '203.0.113.9'],
    ['the left-most if all are proxies', '10.1.2.3', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
    ['without its port', '10.1.2.3', '203.0.113.9:4711', '203.0.113.9'],
    ['without brackets and port', '10.1.2.3', '[2001:DB8:0:0::1]:443', '2001:db8::1'],
    ['IPv4 that is written as IPv6', '10.1.2.3', '::ffff:203.0.113.9', '203.0.113.9'],
    ['the proxy that does not say for whom it asks', '10.1.2.3', 'unknown', '10.1.2.3'],
    [
      'the last proxy that is known behind what is no address',
      '10.1.2.3',
      '203.0.113.9, nonsense, 10.0.0.2',
      '10.0.0.2',
    ],
    ['nowhere once its connection has ended', 'unknown', '203.0.113.9', 'unknown'],
    ['the one before an empty place', '10.1.2.3', ', 203.0.113.9', '203.0.113.9'],
    ['the last proxy behind an empty place', '10.1.2.3', '203.0.113.9, ,10.0.0.2', '10.0.0.2'],
    ['the proxy where the header is empty', '10.1.2.3', '', '10.1.2.3'],
  ]
for (const [what, connected, forwardedFor, client] of cases)
  test(`a client is ${what}`, (t) => t.is(addressOf(connected, forwardedFor, proxies), client))

test('where no proxy is trusted, nobody is believed', (t) => {
  t.is(addressOf('10.1.2.3', '203.0.113.9', proxiesIn([])), '10.1.2.3')
})

test('a /64 of IPv6 is one client, and an address of IPv4', (t) => {
  t.is(clientAt('203.0.113.9'), '203.0.113.9')
  const same = ['2001:db8:1:2::1', '2001:db8:1:2:ffff::', '2001:db8:1:2:3:4:5:6'].map(clientAt)
  t.deepEqual([...new Set(same)], ['2001:db8:1:2::/64'])
  t.not(clientAt('2001:db8:1:3::1'), '2001:db8:1:2::/64')
  t.is(clientAt('2001:db8::1'), '2001:db8:0:0::/64')
  t.is(clientAt('::1'), '0:0:0:0::/64')
  t.is(clientAt('fe80::'), 'fe80:0:0:0::/64')
})

for (const range of ['10.0.0.0/33', 'example.com', '10.0.0.0/8/8', '2001:db8::/129', ''])
  test(`"${range}" is no range of proxies`, (t) => {
    t.throws(() => proxiesIn([range]), { message: /must be addresses or ranges/ })
  })
