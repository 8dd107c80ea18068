/** What does the shop say itself of its money and goods, while it runs? */
import { answerIfAny, type Client, type Headers } from '../support/shop/client.ts'

export type Balance = {
  readonly what: 'money' | 'goods'
  readonly added: string
  readonly left: string
  /** Spent or sold. */
  readonly gone: string
  readonly inFlight: string
  readonly balanced: boolean
}

/** The accounts, if the shop can tell them now, and what does not add up. */
export type Audited = { readonly balances: readonly Balance[]; readonly wrong: readonly string[] }

type Sums = Readonly<Record<string, string>>
type Answer = {
  readonly credit: Sums
  readonly stock: Sums
  readonly mismatches: readonly { readonly what: string; readonly detail: string }[]
}

export const auditOf = async (client: Client, headers: Headers): Promise<Audited> => {
  const reply = await answerIfAny(client.get('/audit', headers))
  if (reply?.status !== 200) return { balances: [], wrong: [] }
  const { credit, stock, mismatches } = reply.json as Answer
  const balanceOf = (what: Balance['what'], sums: Sums, left: string, gone: string): Balance => ({
    what,
    added: sums.added ?? '',
    left: sums[left] ?? '',
    gone: sums[gone] ?? '',
    inFlight: sums.in_flight ?? '',
    balanced: !mismatches.some((mismatch) => mismatch.what === (what === 'money' ? 'credit' : 'stock')),
  })
  return {
    balances: [balanceOf('money', credit, 'wallets', 'paid'), balanceOf('goods', stock, 'shelf', 'sold')],
    wrong: mismatches.map(({ what, detail }) => `${what}: ${detail}`),
  }
}
