/** What a service takes for a checkout the gateway counts as one: else its bound for checkouts could be evaded. */
import test from 'ava'
import { isCheckout } from '../../../gateway/proxy/retry.ts'
import { openShop, sendBytes } from '../../support/shop/gateway.ts'
import { openServiceServer } from '../../support/shop/service-server.ts'

const OF_A_CHECKOUT = [
  '/orders/checkout/7',
  '/orders/checkout/7?now=yes',
  '/orders/checkout/7?/',
  '/orders/checkout/%37',
  'http://shop.example/orders/checkout/7',
]
const OF_NONE = [
  '/orders/CHECKOUT/7',
  '/orders/Checkout/7',
  '/orders/checkout/7/',
  '/orders/checkout/7//',
  '/orders//checkout/7',
  '/orders/checkout//7',
  '/orders/checkout/7/8',
  '/orders/checkout/',
  '/orders/%63heckout/7',
  '/orders%2Fcheckout%2F7',
  '/orders/checkout%2F7',
  '/orders/checkout\\7',
  '/orders/./checkout/7',
  '/orders/find/../checkout/7',
  '/orders/checkout;a=b/7',
  'http://shop.example//orders/checkout/7',
]

for (const [targets, status] of [
  [OF_A_CHECKOUT, 200],
  [OF_NONE, 404],
] as const)
  for (const target of targets)
    test(`POST ${target} is ${status === 200 ? 'a checkout' : 'no checkout'} for the gateway and the service alike`, async (t) => {
      const server = await openServiceServer({
        service: 'order',
        routes: [
          {
            method: 'POST',
            path: '/orders/checkout/:order',
            scope: 'customer',
            handler: async () => ({ text: 'paid' }),
          },
        ],
      })
      t.teardown(server.close)
      const { gateway } = await openShop(t, { origins: { order: [`http://127.0.0.1:${server.port}`] } })
      const request = `POST ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`
      t.regex(await sendBytes(t, gateway.port, request), new RegExp(`^HTTP/1.1 ${status} `))
      t.is(isCheckout('POST', target.replace(/^http:..[^/]*/, '')), status === 200)
    })
