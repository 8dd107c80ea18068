/**
 * What customers and operators ask for. With `key=k` a request bears an Idempotency-Key, with `trace=t` it is of a sampled trace.
 *
 *   user anna 100 | item tea 5 15 | order cart anna tea:2    what there is before the story: who owns what, how much there is of
 *                                                            it and at which price, and what is in an order
 *   begin cart s1 [deadline=-1s] [for=bert]   a checkout begins, as the saga s1; it is locked for its user, or for another
 *   submit cart s1 [deadline=60s]        a checkout is to begin later
 *   ask cart                             a client asks how the checkout of an order stands, and counts on the answer
 *   place cart anna tea:2                an order is placed whole
 *   form bill anna 1000 s1 [deadline=-1s]     an order over a value is placed, and its checkout submitted, as the saga s1
 *   join cart s1                         a request that needs no checkout of its own
 *   give-up cart [r1] [restock=none]     its order is cancelled; what was paid goes back, as the refund r1
 *   standing cart                        how that stands, as its client is answered
 *   cancel s1 [by=operator]              its deadline has passed, or an operator gives it up
 *   resolve s1 refund|accept             a person ends a contradiction
 *   refund cart r1 [tea:1] [restock=none]   lines of a paid order go back, or all that is left, as the refund r1
 *   expire cart                          nobody has touched it for long
 *   make-anew 0 9                        an operator makes these orders anew
 *   line cart cup:1                      one more line
 *   change cart tea:1 cup:0              so many pieces from now on, as the order stands, or as it stood (from=before)
 *   amend cart s1 tea:1 cup:2 [deadline=60s]  the same of an order that is paid: the amendment s1, whose refund is s1-back
 *   fund anna 10 | pay anna 10           money comes and goes outside any checkout
 *   add tea 3 | subtract tea 3           goods do
 */
import { amendmentOf, refundIn } from '../../../order/amend/amendment.ts'
import { changedBy } from '../../../order/change/change.ts'
import { shownAs } from '../../../order/checkout/answer.ts'
import { plainly } from '../shop/open-store.ts'
import { type Command, durationOf, onceOf, type Scene } from './scene.ts'
import { SINGLE } from './timeline.ts'

const PATIENCE = '60s'
const SUBMITTED_MAX = 10

const lineOf = (word = ''): { item: string; quantity: number } => {
  const [item = '', quantity] = word.split(':')
  return { item, quantity: Number(quantity) }
}

/** What there is before the story begins: it is not told. */
export const setUps = (scene: Scene): Readonly<Record<string, Command>> => {
  const { order, payment, stock } = scene.services.stores
  const quietly = onceOf({ args: [], options: new Map() }, '')
  return {
    user: async ({ args: [id = '', credit] }) => {
      scene.users.push(id)
      await payment.createUser(id, quietly)
      if (Number(credit) > 0) await payment.addFunds(id, Number(credit), quietly)
    },
    item: async ({ args: [id = '', pieces, price] }) => {
      scene.items.set(id, Number(price))
      await stock.createItem(id, Number(price), quietly)
      if (Number(pieces) > 0) await stock.add(id, Number(pieces), quietly)
    },
    order: async ({ args: [id = '', user = '', ...lines] }) => {
      scene.orders.set(id, user)
      await order.create(id, user, quietly)
      for (const { item, quantity } of lines.map(lineOf))
        await order.addItem({ order: id, item, quantity, price: scene.items.get(item) ?? 0 }, quietly)
    },
  }
}

export const requests = (scene: Scene): Readonly<Record<string, Command>> => {
  const { tellReply, print, tell } = scene
  const { order, payment, stock } = scene.services.stores
  return {
    begin: async (words) => {
      const [id = '', saga = ''] = words.args
      if (!scene.sagas.includes(saga)) scene.sagas.push(saga)
      const user = words.options.get('for') ?? scene.orders.get(id) ?? ''
      const timeout_ms = durationOf(words.options.get('deadline') ?? PATIENCE)
      const start = { log_id: saga, order: id, user, token: '', timeout_ms }
      await tellReply(await order.begin(start, onceOf(words, `begin ${id}`)))
    },
    place: async (words) => {
      const [id = '', user = '', ...named] = words.args
      scene.orders.set(id, user)
      const lines = named.map(lineOf)
      const costs = lines.map(({ item, quantity }) => [item, quantity * (scene.items.get(item) ?? 0)] as const)
      const total = costs.reduce((sum, [, cost]) => sum + cost, 0)
      const written = { lines: named.join(), costs: costs.map((cost) => cost.join(':')).join() }
      const [result] = await order.place({ order: id, user, total, ...written }, onceOf(words, `place ${id}`))
      await tellReply([result])
    },
    expire: async ({ args: [id = ''] }) => {
      const since_ms = (await order.log.readMs()) + 1
      await tellReply(await order.log.run('expire-order', { log_id: `${SINGLE}expired`, order: id, since_ms }))
    },
    'make-anew': async ({ args: [first, last] }) => {
      const made = { first: Number(first), last: Number(last), items: 1, users: 1, price: 1, seed: 1 }
      await tellReply(await order.initOrders(made, plainly))
    },
    form: async (words) => {
      const [order_id = '', user = '', value, saga = ''] = words.args
      scene.orders.set(order_id, user)
      if (!scene.sagas.includes(saga)) scene.sagas.push(saga)
      const paidBy = { method: 'credit_card', installments: 1 }
      const placed = { order: order_id, user, total: Number(value), ...paidBy, saga, most: SUBMITTED_MAX }
      const timeout_ms = durationOf(words.options.get('deadline') ?? PATIENCE)
      await tellReply(await order.placeAndSubmit({ ...placed, timeout_ms }, onceOf(words, `form ${order_id}`)))
    },
    submit: async (words) => {
      const [id = '', saga = ''] = words.args
      if (!scene.sagas.includes(saga)) scene.sagas.push(saga)
      const timeout_ms = durationOf(words.options.get('deadline') ?? PATIENCE)
      const args = { log_id: saga, order: id, timeout_ms, most: SUBMITTED_MAX }
      await tellReply(await order.submit(args, onceOf(words, `begin ${id}`)))
    },
    ask: async ({ args: [id = ''] }) => {
      const found = await order.checkoutOf(id, { isTold: true })
      if (typeof found !== 'object') return print(found ?? 'none')
      const { state, reason, item_id } = shownAs(found)
      print([found.id, state, reason, item_id].filter((word) => word !== null).join(' '))
    },
    join: async (words) => {
      const [id = '', saga = ''] = words.args
      await tellReply(await order.join({ order: id, saga }, onceOf(words, `begin ${id}`)))
    },
    'give-up': async (words) => {
      const [id = '', refund] = words.args
      if (refund !== undefined) scene.name(refund)
      const restock = words.options.get('restock') === 'none' ? 'none' : 'shelf'
      const wish = { order: id, from: 'any', restock, reason: undefined } as const
      const [result, what] = await order.cancelOrder(wish, onceOf(words, `give-up ${id}`))
      // The entries say the rest.
      await tellReply([result, typeof what === 'string' ? what : undefined])
    },
    standing: async ({ args: [id = ''] }) => {
      const found = await order.cancellation(id)
      const refund = found?.refund === undefined ? [] : [`${found.refund.id} ${found.refund.state}`]
      print([found?.status ?? 'unknown', `refunded ${found?.refunded ?? 0}`, ...refund].join(', '))
    },
    cancel: async (words) => {
      const [saga = ''] = words.args
      const [result, ended] =
        words.options.get('by') === 'operator'
          ? await order.revoke(saga, onceOf(words, `cancel ${saga}`))
          : [undefined, await order.cancel(saga)]
      const reason = ended === undefined || ended.state === 'paid' ? '' : 'by' in ended ? ended.by : ended.reason
      const state = [ended?.state ?? '', reason].filter((word) => word !== '').join(', ')
      print([result ?? (ended ? '' : 'unknown'), state].filter((word) => word !== '').join(' '))
      await tell()
    },
    resolve: async (words) => {
      const [saga = '', by] = words.args
      if (by !== 'refund' && by !== 'accept') throw new Error(`"${by}" is neither refund nor accept`)
      await tellReply(await order.resolve(saga, { by, why: 'she-asked' }, onceOf(words, `resolve ${saga} ${by}`)))
    },
    refund: async (words) => {
      const [id = '', refund = '', ...lines] = words.args
      scene.name(refund)
      const restock = words.options.get('restock') === 'none' ? 'none' : 'shelf'
      const wish = { order: id, from: 'any', lines: lines.join(), restock, reason: '' } as const
      const [result, ...rest] = await order.refund(wish, onceOf(words, `refund ${id} ${lines.join()}`))
      // The entry says the rest.
      await tellReply(result === 'granted' ? [result, rest[0]] : [result, ...rest])
    },
    line: async (words) => {
      const [id = '', word] = words.args
      const line = lineOf(word)
      const price = scene.items.get(line.item) ?? 0
      await tellReply(await order.addItem({ order: id, ...line, price }, onceOf(words, `line ${id} ${word}`)))
    },
    change: async (words) => {
      const [id = '', ...lines] = words.args
      const before = (await order.show(id)) ?? { version: 0, total_cost: 0, lines: [] }
      const read = words.options.get('from') === 'before' ? before.version - 1 : before.version
      const wanted = new Map(lines.map(lineOf).map(({ item, quantity }) => [item, quantity]))
      const planned = changedBy(before, wanted, scene.items)
      const changed = 'unknownCost' in planned ? undefined : planned
      const change = { order: id, from: [read], since: undefined, read, changed }
      const [result] = await order.change(change, onceOf(words, `change ${id} ${lines.join()}`))
      await tellReply([result])
    },
    amend: async (words) => {
      const [id = '', saga = '', ...lines] = words.args
      scene.name(saga)
      if (!scene.sagas.includes(saga)) scene.sagas.push(saga)
      const before = (await order.show(id)) ?? { version: 0, total_cost: 0, lines: [] }
      const read = words.options.get('from') === 'before' ? before.version - 1 : before.version
      const wanted = new Map(lines.map(lineOf).map(({ item, quantity }) => [item, quantity]))
      const planned = changedBy(before, wanted, scene.items)
      const amendment = 'unknownCost' in planned ? undefined : amendmentOf(before, planned)
      if ((amendment?.back.size ?? 0) > 0) scene.sagas.push(refundIn(saga))
      const timeoutMs = durationOf(words.options.get('deadline') ?? PATIENCE)
      const wish = { order: id, from: [read], since: undefined, read, amendment, timeoutMs }
      const [result, what] = await order.amend(wish, onceOf(words, `amend ${id} ${lines.join()}`))
      // The entries say the rest.
      await tellReply([result, typeof what === 'string' ? what : undefined])
    },
    fund: async (words) => {
      const [id = '', amount] = words.args
      await tellReply(await payment.addFunds(id, Number(amount), onceOf(words, `fund ${id} ${amount}`)))
    },
    pay: async (words) => {
      const [id = '', amount] = words.args
      await tellReply(await payment.pay(id, Number(amount), onceOf(words, `pay ${id} ${amount}`)))
    },
    add: async (words) => {
      const [id = '', amount] = words.args
      await tellReply(await stock.add(id, Number(amount), onceOf(words, `add ${id} ${amount}`)))
    },
    subtract: async (words) => {
      const [id = '', amount] = words.args
      await tellReply(await stock.subtract(id, Number(amount), onceOf(words, `subtract ${id} ${amount}`)))
    },
  }
}
