/** The story of a container as text: one line per step, indented below its cause. */
import {parseSource} from '../../machines/ledger/ids.ts'
import {formatSpan} from '../../machines/story/spans.ts'
import type {Step, Story} from '../../machines/story/story.ts'
import {formatAge} from './format.ts'

export interface FormatStoryOptions {
  /** Uids of other containers that have or have had the same id. */
  readonly others: readonly string[]
  /** Epoch milliseconds. */
  readonly now: number
  /** Of the terminal, in characters. Undefined: lines are not wrapped. */
  readonly width: number | undefined
}

/** Ends with a newline. */
export function formatStory(story: Story, {others, now, width}: FormatStoryOptions): string {
  const {steps, losses, uid} = story
  const column = Math.max(0, ...steps.map(({atMs}) => formatOffset(atMs).length))
  const digits = String(steps.at(-1)?.sequence ?? 0).length
  let day = ''
  const lines = steps.flatMap((step) => {
    const date = step.time.slice(0, 10)
    const heading = date === day ? [] : [`${date}, UTC`]
    day = date
    const head = `${step.time.slice(11, 23)}  ${formatOffset(step.atMs).padStart(column)}  ${String(step.sequence).padStart(digits)}  ${'  '.repeat(step.depth)}`
    return [...heading, ...wrap(head, toSentence(step), width)]
  })
  const lost = losses.map(({sequence, text}) => `  ${sequence === undefined ? '' : `${sequence}: `}${toPrintable(text)}`)
  return [
    `${toTitle(story)}, uid ${uid}`,
    toSummary(story, now),
    ...(story.knownSince === undefined ? [] : [`known from ${story.knownSince} on: the stream does not have what was before any more`]),
    '',
    ...lines,
    '',
    ...(lost.length > 0 ? ['What was lost, or had to be mended:', ...lost] : ['Nothing was lost.']),
    ...(others.length > 0 ? ['', `Others have had this id: ${others.map((other) => `--uid ${other.slice(0, 8)}`).join(', ')}`] : []),
    '',
  ].join('\n')
}

function toTitle({source}: Story): string {
  const address = parseSource(source)
  return address ? `${address.namespace}/${address.id} on node ${address.node}` : toPrintable(source)
}

function toSummary({state, steps, ranMs}: Story, now: number): string {
  const latest = steps.at(-1)
  const since = latest ? ` the latest event ${formatAge(latest.time, now)}` : ''
  const ran = ranMs === undefined ? ', never started' : `, ${state === 'running' ? 'has run' : 'ran'} for ${formatSpan(ranMs)}`
  return `${state ?? 'state unknown, since its ledger is not whole'}${ran};${since}`
}

/** `SIGTERM was sent (after 1 ms)`, `the container was killed by SIGKILL (because of 10, as it seems; after 7 ms)`. */
function toSentence({text, cause}: Step): string {
  if (!cause) return toPrintable(text)
  const why = cause.certainty === 'inferred' ? `because of ${cause.sequence}, as it seems; ` : ''
  return `${toPrintable(text)} (${why}after ${formatSpan(cause.tookMs)})`
}

function formatOffset(ms: number): string {
  return `+${formatSpan(ms)}`
}

/** Without control characters: the output of programs must not move the cursor. */
function toPrintable(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}

/** Words that do not fit go to the next line, below the first word. */
function wrap(head: string, text: string, width: number | undefined): readonly string[] {
  const room = (width ?? Number.POSITIVE_INFINITY) - head.length
  if (room < 20) return [head + text]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map((part, index) => (index === 0 ? head : ' '.repeat(head.length)) + part)
}
