/** How is the payment service set? */
import { origins } from '../shared/process/config.ts'
import { peerRedis, serviceSettings } from '../shared/settings.ts'

export const settings = { ...serviceSettings, order: peerRedis.order, stock: peerRedis.stock, ids: origins('IDS_URLS') }
