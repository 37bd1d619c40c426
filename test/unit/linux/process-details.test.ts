import {describe, expect, it} from 'vitest'
import {parseUserNames, type ProcessDetails, toProcessDetails} from '../../../src/linux/process-details.ts'
import {toContainerProcesses} from '../../../src/observation/top.ts'

/** The format of proc(5). */
const texts = {
  stat: '4790 (a) (b) S 4711 4790 4790 0 -1 4194560 191 0 0 0 150 25 0 0 20 0 1 0 100260 4542464 192 18446744073709551615 1 1 0 0 0 0 0 4 65538',
  status: 'Name:\ta) (b\nPid:\t4790\nPPid:\t4711\nUid:\t0\t65534\t0\t0\nGid:\t0\t0\t0\t0\nNSpid:\t4790\t12\t1\nSigPnd:\t0\n',
  cmdline: 'sh\0-c\0while true; do sleep 1; done\0',
}

describe('the details of a process', () => {
  it('are read from stat, status and cmdline', () => {
    expect(toProcessDetails(texts, 1_000_000)).toEqual({
      pid: 4790,
      parentPid: 4711,
      pidInContainer: 1,
      state: 'S',
      uid: 65534,
      cpuMs: 1_750,
      startedAtMs: 2_002_600,
      args: ['sh', '-c', 'while true; do sleep 1; done'],
    })
  })

  it('contain the name in brackets when the command line is empty, and no inner pid before Linux 4.1', () => {
    expect(toProcessDetails({...texts, cmdline: '', status: 'Uid:\t0\t0\t0\t0\n'}, 0)).toMatchObject({
      args: ['[a) (b]'],
      pidInContainer: undefined,
    })
  })

  it('include empty arguments', () => {
    expect(toProcessDetails({...texts, cmdline: 'echo\0\0a\0\0'}, 0).args).toEqual(['echo', '', 'a', ''])
  })
})

describe('the processes of a container', () => {
  const names = parseUserNames('root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:\n')
  const base = toProcessDetails(texts, 0)
  const process = (pid: number, parentPid: number, uid: number): ProcessDetails => ({...base, pid, parentPid, uid, startedAtMs: pid})

  it('are init, then the others by age, each with its exec id and the first name of its user', () => {
    const details = [process(30, 20, 5), process(20, 9, 0), process(10, 9, 0), process(40, 10, 65534)]
    const list = toContainerProcesses(details, {initPid: 20, execIds: new Map([[10, 'e1']]), names})
    expect(list.map(({pid, init, execId, user}) => [pid, init, execId, user])).toEqual([
      [20, true, undefined, 'root'],
      [10, false, 'e1', 'root'],
      [30, false, undefined, '5'],
      [40, false, 'e1', 'nobody'],
    ])
  })
})
