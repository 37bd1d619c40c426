import {describe, expect, it} from 'vitest'
import {isEndingStat, isKilledStatus} from '../../../src/linux/ending.ts'
import {parseOomKills} from '../../../src/linux/oom.ts'

describe('the number of processes killed because memory ran out', () => {
  it.each<[string, string, number | undefined]>([
    ['version 1', 'oom_kill_disable 0\nunder_oom 0\noom_kill 3\n', 3],
    ['version 1 before Linux 4.13', 'oom_kill_disable 0\nunder_oom 0\n', undefined],
    ['version 2', 'low 0\nhigh 0\nmax 41\noom 2\noom_kill 1\noom_group_kill 7\n', 1],
    ['nothing', '', undefined],
  ])('is the line oom_kill in the file of %s', (_, text, count) => {
    expect(parseOomKills(text)).toBe(count)
  })
})

describe('a process', () => {
  const stat = (state: string, flags: number) => `42 (tail) a) ${state} 1 42 42 0 -1 ${flags} 100 0 0 0 5 6 0 0 20 0 1 0 900`

  it('is ending when it is a zombie or its exit has begun', () => {
    expect(isEndingStat(stat('Z', 0))).toBe(true)
    expect(isEndingStat(stat('R', 4194304 + 4))).toBe(true)
    expect(isEndingStat(stat('R', 4194304))).toBe(false)
    expect(isEndingStat(stat('S', 4194560))).toBe(false)
  })

  it('is killed when SIGKILL is pending for one thread or for all', () => {
    const status = (thread: string, shared: string) => `Name:\ttail\nSigQ:\t0/1\nSigPnd:\t${thread}\nShdPnd:\t${shared}\nSigBlk:\t0\n`
    expect(isKilledStatus(status('0000000000000100', '0000000000000000'))).toBe(true)
    expect(isKilledStatus(status('0000000000000000', '0000000000004100'))).toBe(true)
    expect(isKilledStatus(status('0000000000004000', '0000000000010000'))).toBe(false)
  })
})
