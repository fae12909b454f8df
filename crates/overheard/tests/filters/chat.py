"""A chat server and a collector: the one passes each line on to all others, the other takes what it is sent."""
import socket
import sys
import threading

clients = []


def serve(connection, relays):
    clients.append(connection)
    try:
        for line in connection.makefile("rb"):
            for other in list(clients):
                if relays and other is not connection:
                    other.sendall(line)
    except OSError:
        pass
    clients.remove(connection)
    connection.close()


role, address, port = sys.argv[1:]
listener = socket.create_server((address, int(port)))
while True:
    threading.Thread(target=serve, args=[listener.accept()[0], role == "chat"], daemon=True).start()
