/** What a page of anybody meets in a shop on this machine, whichever of its ports it finds. */
import test from 'ava'
import { request } from 'undici'
import { shareShop } from '../support/shop.ts'

const PAGES = 'https://pages.example'
const shop = shareShop(test, { env: { gateway: { ALLOWED_ORIGINS: PAGES } } })

const ask = async (url: string, headers: Record<string, string>): Promise<number> => {
  const reply = await request(url, { method: 'POST', headers })
  await reply.body.dump()
  return reply.statusCode
}

for (const [who, headers, gateway, service] of [
  ['a program', {}, 200, 200],
  ['an allowed page', { origin: PAGES }, 200, 403],
  ['a foreign page', { origin: 'https://evil.example' }, 403, 403],
  ['a foreign page whose name leads here', { host: 'evil.example', origin: 'http://evil.example' }, 421, 421],
] as const)
  test.serial(`${who} is answered ${gateway} by the gateway and ${service} by a service`, async (t) => {
    const { shop: parts } = shop()
    t.is(await ask(`${parts.url}/payment/create_user`, headers), gateway)
    for (const [path, part] of [
      ['/payment/create_user', parts.part('payment-1')],
      ['/stock/item/create/5', parts.part('stock-1')],
    ] as const)
      t.is(await ask(`${part?.url}${path}`, headers), service)
  })
