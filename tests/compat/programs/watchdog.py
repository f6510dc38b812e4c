#!/usr/bin/env python
# stop reading when the time is up: an exception from a signal handler
import os, signal, sys
import plt

class TimeIsUp(Exception): pass

def alarm(signum, frame):
    raise TimeIsUp('enough')

r, w = os.pipe()          # a trace that never ends: its writer keeps it open
f = open(sys.argv[1], 'rb'); data = f.read(); f.close()
os.write(w, data)
signal.signal(signal.SIGALRM, alarm)
signal.alarm(2)
n = 0
t = plt.trace('pcapfile:/dev/fd/%d' % r)
try:
    t.start()
    for pkt in t:
        n += 1
except TimeIsUp as e:
    print("%s: %d packets" % (e, n))
except plt.LibtraceError as e:
    print("libtrace: %s" % e)

def handler(signum, frame):
    raise OSError(5, 'mine')
signal.signal(signal.SIGALRM, handler)
signal.alarm(1)
try:
    for pkt in t:
        n += 1
except OSError as e:
    print(e.strerror, n)
t.close()
