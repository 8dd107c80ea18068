/**
 * By which methods may an order be paid, and in how many instalments?
 *
 * Order and payment both go by this table: the one takes no order that its method does not allow, the other shows the methods and
 * plans. The whole total is captured at once, as a card does for the merchant; the plan is what the customer is shown.
 */

/** A method of payment. Amounts are in units: what an order may cost, and what an instalment must be at least. */
export type Method = {
  readonly method: string
  readonly installments_max: number
  readonly min: number
  readonly max: number
  readonly installment_min: number
}

export const METHODS: readonly Method[] = [
  { method: 'credit_card', installments_max: 12, min: 5, max: 100_000_000, installment_min: 5 },
  { method: 'debit_card', installments_max: 1, min: 1, max: 10_000_000, installment_min: 1 },
  { method: 'transfer', installments_max: 1, min: 1, max: 1_000_000_000, installment_min: 1 },
  { method: 'cash', installments_max: 1, min: 1, max: 1_000_000, installment_min: 1 },
]
export const METHOD_NAMES: readonly string[] = METHODS.map(({ method }) => method)
export const INSTALLMENTS_MAX = Math.max(...METHODS.map((one) => one.installments_max))

/** A method in so many instalments, and what an order may cost that is paid by it. */
export type Offer = {
  readonly id: number
  readonly method: string
  readonly installments: number
  readonly min: number
  readonly max: number
}

/** Every method in each number of instalments that it has. */
export const OFFERS: readonly Offer[] = METHODS.flatMap(({ method, installments_max, min, max, installment_min }) =>
  Array.from({ length: installments_max }, (_, at) => ({
    method,
    installments: at + 1,
    min: Math.max(min, (at + 1) * installment_min),
    max,
  })),
).map((offer, at) => ({ id: at + 1, ...offer }))

/** `undefined` if there is no such method, or if it has not so many instalments. */
export const offerOf = (method: string, installments: number): Offer | undefined =>
  OFFERS.find((offer) => offer.method === method && offer.installments === installments)

export const isWithin = ({ min, max }: Offer, amount: number): boolean => amount >= min && amount <= max

/**
 * What is due with each instalment: all alike, but that the first ones are one unit more where the total cannot be divided.
 * @param refunded what was given back of it: it is taken from the last instalments first
 */
export const planOf = (total: number, installments: number, refunded = 0): readonly number[] => {
  const each = Math.floor(total / installments)
  const more = total - each * installments
  return Array.from({ length: installments }, (_, at) => {
    const before = each * at + Math.min(at, more)
    return Math.min(at < more ? each + 1 : each, Math.max(0, total - refunded - before))
  })
}
