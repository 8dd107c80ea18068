/** The issuer is asked for its keys as often as need be, and may be away. */
import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import pino from 'pino'
import { givenKeys, type RemoteOptions, remoteKeys } from '../../../gateway/auth/key-set.ts'
import { KeysAwayError, openVerify } from '../../../gateway/auth/token.ts'
import { openStep } from '../../../shared/process/step.ts'
import { eventually } from '../../support/eventually.ts'
import { AUDIENCE, ISSUER, type Issuer, makeSigningKey, openIssuer, sign } from '../../support/shop/issuer.ts'

const SEEN_MS = 5_000
const [first, second] = [await makeSigningKey('first'), await makeSigningKey('second')]

const open = (t: ExecutionContext, { url }: Issuer, options: Partial<RemoteOptions> = {}) => {
  let changes = 0
  const logged: { level: number; msg: string }[] = []
  const keySet = remoteKeys({
    url,
    step: openStep('gateway'),
    onChange: () => {
      changes += 1
    },
    log: pino({ level: 'info' }, { write: (line) => logged.push(JSON.parse(line)) }),
    retryMs: 20,
    coolDownMs: 0,
    ...options,
  })
  t.teardown(keySet.stop)
  const verify = openVerify({ keyOf: keySet.keyOf, issuer: ISSUER, audience: AUDIENCE, clockSkewS: 0 })
  return { verify, changes: () => changes, logged }
}
const anna = { caller: { subject: 'anna' } }

test('keys are fetched at the start, and not again for each token', async (t) => {
  const issuer = await openIssuer(t, first)
  const { verify, changes } = open(t, issuer)
  for (let times = 0; times < 5; times += 1) t.like(await verify(await sign(first)), anna)
  t.deepEqual([issuer.asked, changes()], [1, 1])
})

test('a key that is new is fetched with the first token that names it, and what one was known by before is forgotten', async (t) => {
  const issuer = await openIssuer(t, first)
  const { verify, changes } = open(t, issuer)
  t.like(await verify(await sign(first)), anna)
  issuer.keys = [second]
  t.like(await verify(await sign(second)), anna)
  t.is(changes(), 2)
  t.is(await verify(await sign(first)), 'unknown-key', 'a key that was taken back holds no more')
})

test('a key that was taken back is seen by itself', async (t) => {
  const issuer = await openIssuer(t, first)
  const { verify, changes } = open(t, issuer, { refreshMs: 20, coolDownMs: 60_000 })
  t.like(await verify(await sign(first)), anna)
  issuer.keys = [second]
  await eventually(async () => assert.equal(changes(), 2), SEEN_MS)
  t.is(await verify(await sign(first)), 'unknown-key')
})

test('whatever tokens name, the issuer is not asked again for a while', async (t) => {
  const issuer = await openIssuer(t, first)
  const { verify } = open(t, issuer, { coolDownMs: 60_000 })
  t.like(await verify(await sign(first)), anna)
  for (let times = 0; times < 5; times += 1) t.is(await verify(await sign(second)), 'unknown-key')
  t.is(issuer.asked, 1)
})

test('while the issuer is away at the start nothing is known of a token; when it comes it is asked by itself', async (t) => {
  const issuer = await openIssuer(t, first)
  await issuer.leave()
  const { verify, logged } = open(t, issuer)
  const token = await sign(first)
  await t.throwsAsync(verify(token), { instanceOf: KeysAwayError })
  await eventually(async () => assert.equal(logged.at(-1)?.level, 50), SEEN_MS)
  await issuer.listen()
  await eventually(async () => assert.equal(logged.at(-1)?.msg, 'the issuer shows its keys again'), SEEN_MS)
  t.like(await verify(token), anna)
  t.deepEqual(
    logged.map(({ level }) => level),
    [50, 30],
    'each is told once',
  )
})

test('while it is away later its keys hold, but not for ever; what they do not verify nobody knows', async (t) => {
  const issuer = await openIssuer(t, first)
  const { verify } = open(t, issuer)
  t.like(await verify(await sign(first)), anna)
  issuer.status = 503
  t.like(await verify(await sign(first)), anna)
  await t.throwsAsync(verify(await sign(second)), { instanceOf: KeysAwayError })
  t.like(await verify(await sign(first)), anna)

  const impatient = open(t, issuer, { staleMaxMs: -1 })
  issuer.status = 200
  await eventually(async () => {
    await assert.rejects(impatient.verify(await sign(first)), /for long/)
  }, SEEN_MS)
})

test('an issuer that is away is asked no more often than was said, whatever comes', async (t) => {
  const issuer = await openIssuer(t, first)
  issuer.status = 500
  const { verify } = open(t, issuer, { retryMs: 60_000 })
  const token = await sign(first)
  for (let times = 0; times < 5; times += 1) await t.throwsAsync(verify(token), { instanceOf: KeysAwayError })
  t.is(issuer.asked, 1)
})

test('what shows no keys is as good as away', async (t) => {
  const issuer = await openIssuer(t)
  const symmetric = { kty: 'oct', k: Buffer.alloc(32).toString('base64url'), kid: 'first', alg: 'HS256' }
  for (const shown of [symmetric, { ...first.shown, d: 'c2VjcmV0' }, { ...first.shown, x: 'none' }]) {
    issuer.keys = [{ ...first, shown }]
    const { verify } = open(t, issuer)
    const found = await verify(await sign(first)).catch((error: unknown) => error)
    t.true(found === 'unknown-key' || found instanceof KeysAwayError, String(found))
  }
})

test('keys can be given once and for all, if they are public', async (t) => {
  const { keyOf } = givenKeys(JSON.stringify({ keys: [first.shown, second.shown] }))
  const verify = openVerify({ keyOf, issuer: ISSUER, audience: AUDIENCE, clockSkewS: 0 })
  t.like(await verify(await sign(second)), anna)
  for (const text of ['', '{}', '{"keys": 7}', '[]', 'null', '{"keys": [7]}'])
    t.throws(() => givenKeys(text), undefined, text)
  for (const secret of [
    { kty: 'oct', k: 'c2VjcmV0' },
    { ...first.shown, d: 'c2VjcmV0' },
  ])
    t.throws(() => givenKeys(JSON.stringify({ keys: [secret] })), { message: 'it may have public keys only' })
})
