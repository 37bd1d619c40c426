/** The time, once a second: whatever shows an age reads it. */
import {signal} from '@preact/signals'

/** Epoch milliseconds. */
export const now = signal(Date.now())

setInterval(() => {
  if (!document.hidden) now.value = Date.now()
}, 1_000)
