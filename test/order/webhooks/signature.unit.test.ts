/** Is what is signed what the library of Standard Webhooks verifies? */
import test from 'ava'
import { Webhook } from 'standardwebhooks'
import { newSecret, signed } from '../../../order/webhooks/signature.ts'

const message = { id: 'order-1795839301112-0', body: '{"name":"Zoë, 東京 and \\"quotes\\""}' }

test('a signature is verified under its secret, and under no other', (t) => {
  const secret = newSecret()
  const headers = signed([secret], message, Date.now())
  t.deepEqual(new Webhook(secret).verify(message.body, headers), JSON.parse(message.body))
  t.throws(() => new Webhook(newSecret()).verify(message.body, headers))
  t.throws(() => new Webhook(secret).verify(`${message.body} `, headers))
  t.throws(() => new Webhook(secret).verify(message.body, { ...headers, 'webhook-id': 'order-1-0' }))
})

test('it is the signature that the library makes', (t) => {
  const secret = newSecret()
  const atMs = 1_795_839_301_999
  const { 'webhook-signature': signature, 'webhook-timestamp': timestamp } = signed([secret], message, atMs)
  t.is(timestamp, '1795839301')
  t.is(signature, new Webhook(secret).sign(message.id, new Date(atMs), message.body))
})

test('an attempt of long ago is not taken for one of now', (t) => {
  const secret = newSecret()
  t.throws(() => new Webhook(secret).verify(message.body, signed([secret], message, Date.now() - 600_000)))
})

test('there is a signature by each secret, and one is enough', (t) => {
  const secrets = [newSecret(), newSecret()]
  const headers = signed(secrets, message, Date.now())
  t.is(headers['webhook-signature']?.split(' ').length, 2)
  for (const secret of secrets) t.notThrows(() => new Webhook(secret).verify(message.body, headers))
})

test('secrets have the form of the standard, and 256 bits', (t) => {
  const secrets = new Set(Array.from({ length: 100 }, newSecret))
  t.is(secrets.size, 100)
  for (const secret of secrets) {
    t.regex(secret, /^whsec_[A-Za-z0-9+/]+=*$/)
    t.is(Buffer.from(secret.slice('whsec_'.length), 'base64').length, 32)
  }
})
