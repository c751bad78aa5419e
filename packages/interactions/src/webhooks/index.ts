// Entry "@pollux/interactions/webhooks": for the server that receives reports; it needs no client. Names only.
export { type VerifiedWebhook, verifyWebhook, type VerifyWebhookOptions, WebhookError } from "./verify-webhook.ts";
export type { WebhookFault } from "./verify-webhook.ts";
export { webhookKeys, type WebhookKeys, type WebhookKeysOptions } from "./webhook-keys.ts";
export type { WebhookEvent } from "./webhook-event.ts";
