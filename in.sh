mount -t overlay overlay -o ro,lowerdir=/tmp/doors/exp/low:/tmp/doors/exp/empty /tmp/doors/exp/mnt || exit 1
cd /tmp/doors/exp/mnt; ls -l
python3 - <<'P'
import socket,fcntl,os
for n,t in (('s',socket.SOCK_STREAM),('d',socket.SOCK_DGRAM)):
    for base in ('/tmp/doors/exp/mnt/','/tmp/doors/exp/low/'):
        s=socket.socket(socket.AF_UNIX,t)
        try: s.connect(base+n); print(base+n,'connected')
        except Exception as e: print(base+n,e)
f=open('/tmp/doors/exp/mnt/f'); 
try: fcntl.flock(f,fcntl.LOCK_EX); print('flocked inside')
except Exception as e: print(e)
open('/tmp/doors/exp/ready','w').close() if False else None
import time; 
print(os.path.exists('/tmp/doors/exp/mnt/new'))
print('NOW',flush=True); time.sleep(2)
print('new', os.path.exists('/tmp/doors/exp/mnt/new'), os.listdir('/tmp/doors/exp/mnt'), open('/tmp/doors/exp/mnt/f').read(), os.path.exists('/tmp/doors/exp/mnt/sub/x'))
P
