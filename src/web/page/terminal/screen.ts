/** A terminal screen, rendered by xterm.js. Loaded when the first terminal is opened. */
import {FitAddon} from '@xterm/addon-fit'
import {Terminal} from '@xterm/xterm'
import type {ConsoleSize} from '../../../../machines/schemas/fields.ts'
import {allowStyleAttributes, withStyleSheets} from './style-sheets.ts'

export interface Screen extends Disposable {
  readonly size: ConsoleSize
  write(bytes: Uint8Array | string): void
  focus(): void
}

interface ScreenHandlers {
  onInput(bytes: Uint8Array<ArrayBuffer>): void
  onResize(size: ConsoleSize): void
}

export function openScreen(element: HTMLElement, {onInput, onResize}: ScreenHandlers): Screen {
  allowStyleAttributes()
  const style = getComputedStyle(element)
  const terminal = new Terminal({
    fontFamily: style.getPropertyValue('--mono'),
    fontSize: 13.5,
    lineHeight: 1.15,
    cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
    scrollback: 5_000,
    theme: {background: '#0b141b', foreground: '#dfe7ec', cursor: '#ff8361', selectionBackground: '#2d4a5e'},
  })
  const fit = new FitAddon()
  terminal.loadAddon(fit)
  withStyleSheets(() => terminal.open(element))
  fit.fit()
  const encoder = new TextEncoder()
  terminal.onData((text) => onInput(encoder.encode(text)))
  terminal.onBinary((text) => onInput(Uint8Array.from(text, (character) => character.charCodeAt(0))))
  terminal.onResize(({cols, rows}) => onResize({columns: cols, rows}))
  const observer = new ResizeObserver(() => fit.fit())
  observer.observe(element)
  return {
    size: {columns: terminal.cols, rows: terminal.rows},
    write: (bytes) => terminal.write(bytes),
    focus: () => terminal.focus(),
    [Symbol.dispose]: () => {
      observer.disconnect()
      terminal.dispose()
    },
  }
}
