/** The keys that part us from a process and leave it running, written as docker has them: `ctrl-p,ctrl-q`. */
import {InvalidArgumentError} from 'commander'

export const defaultDetachKeys = 'ctrl-p,ctrl-q'

/** `ctrl-` and one of these; `ctrl-@` is 0, `ctrl-a` 1 and so on (ASCII). */
const controls = '@abcdefghijklmnopqrstuvwxyz[\\]^_'

/** @returns their bytes; none for the empty text, which means that nothing detaches */
export function parseDetachKeys(text: string): Uint8Array {
  return Uint8Array.from(text === '' ? [] : text.split(',').map((key) => toByte(key, text)))
}

/** For commander: the text itself, if it can be parsed. */
export function checkDetachKeys(text: string): string {
  parseDetachKeys(text)
  return text
}

function toByte(key: string, text: string): number {
  const control = /^ctrl-(.)$/i.exec(key)?.[1]?.toLowerCase()
  const code = control === undefined ? -1 : controls.indexOf(control)
  if (code >= 0) return code
  if (/^[\x21-\x7e]$/.test(key)) return key.charCodeAt(0)
  throw new InvalidArgumentError(
    `expected keys parted by commas, each a character or ctrl- and one of a-z @ [ \\ ] ^ _, got ${JSON.stringify(key)} in ${JSON.stringify(text)}`,
  )
}

export interface DetachScanner {
  /** What is to be passed on of a piece of input. The beginning of the keys is held back until what follows tells whether it is them. */
  feed(bytes: Uint8Array): {readonly forward: Uint8Array; readonly detached: boolean}
}

export function createDetachScanner(keys: Uint8Array): DetachScanner {
  /** How many of the keys have been pressed. */
  let matched = 0

  return {
    feed: (bytes) => {
      if (keys.length === 0) return {forward: bytes, detached: false}
      const forward: number[] = []
      for (const byte of bytes) {
        const held = [...keys.subarray(0, matched), byte]
        // The longest end of what has been pressed that is a beginning of the keys.
        matched = Array.from({length: held.length}, (_, skip) => held.length - skip).find((length) => isBeginning(held.slice(-length))) ?? 0
        if (matched === keys.length) return {forward: Uint8Array.from(forward), detached: true}
        forward.push(...held.slice(0, held.length - matched))
      }
      return {forward: Uint8Array.from(forward), detached: false}
    },
  }

  function isBeginning(pressed: readonly number[]): boolean {
    return pressed.every((byte, index) => byte === keys[index])
  }
}
