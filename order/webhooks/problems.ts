/** Why is something refused of webhooks? */
import { problemKind } from '../../shared/http/problem.ts'

export const noSuchWebhook = problemKind(404, 'no-such-webhook', 'Unknown webhook', (webhook: string) => ({
  detail: `there is no webhook "${webhook}"`,
  webhook_id: webhook,
}))

export const tooManyWebhooks = problemKind(409, 'too-many-webhooks', 'There are too many webhooks', (most: number) => ({
  detail: `there may be ${most}; delete one first`,
  most,
}))
