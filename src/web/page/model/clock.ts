/** The current time, updated once a second, from which ages are computed. */
import {signal} from '@preact/signals'

/** Epoch milliseconds. */
export const now = signal(Date.now())

setInterval(() => {
  if (!document.hidden) now.value = Date.now()
}, 1_000)
