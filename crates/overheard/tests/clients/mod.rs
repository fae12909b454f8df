//! Two clients of shell script with a filter between them, for tests of trials without rooms.
//!
//! Promises: what they are asked to send is noted; the filter, when it stops passing anything and when the sender dies
//! are what a test says.

use std::fs;
use std::path::Path;

/// Passes on what its filter lets pass, and notes what it is asked to send. `PATTERN` is the filter, of the account and
/// the text; from the message `LIMIT` on nothing passes, and the answer is `AFTER`; it dies at the message `DIES`.
const SENDER: &str = r#"#!/bin/sh
exec 3<>way
echo "{\"event\":\"ready\",\"account\":\"$1\"}"
while read -r line; do
    case "$line" in *'"op":"quit"'*) exit ;; esac
    text=${line##*'"text":"'} text=${text%'"}'} id=${line#*'"id":"'} id=${id%%'"'*}
    echo "$1 $text" >> sent
    echo "typing, which is no event"
    sent=$(wc -l < sent)
    if [ "$sent" -eq DIES ]; then echo "the sea is rough" >&2; exit 1; fi
    event=sent
    if [ "$sent" -ge LIMIT ]; then event=AFTER; else
        case "$1 $text" in
            PATTERN) ;;
            *) echo "{\"event\":\"received\",\"from\":\"$1\",\"text\":\"$text\"}" >&3 ;;
        esac
    fi
    echo "{\"event\":\"$event\",\"id\":\"$id\",\"message\":\"no\"}"
done
"#;
const RECEIVER: &str = "#!/bin/sh\n[ -p way ] || mkfifo way\necho '{\"event\":\"ready\",\"account\":\"bob\"}'\nexec cat 0<>way\n";

/// A folder with both clients, and with whatever else a test writes there.
pub struct Clients {
    folder: tempfile::TempDir,
}

impl Clients {
    pub fn new(pattern: &str, limit: usize, after: &str, dies: usize) -> Self {
        let clients = Self { folder: tempfile::tempdir().expect("a folder") };
        clients.write_sender(pattern, limit, after, dies);
        clients.write("receiver", RECEIVER);
        clients
    }

    /// From now on the sender is another.
    pub fn write_sender(&self, pattern: &str, limit: usize, after: &str, dies: usize) {
        let sender = SENDER.replace("PATTERN", pattern).replace("LIMIT", &limit.to_string());
        self.write("sender", &sender.replace("AFTER", after).replace("DIES", &dies.to_string()));
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).expect("a file");
    }

    /// The commands of the sender, with its account, and of the receiver.
    pub fn commands(&self, account: &str) -> [String; 2] {
        let folder = self.path().display();
        [format!("cd {folder} && exec sh ./sender {account}"), format!("cd {folder} && exec sh ./receiver")]
    }

    /// Messages that the sender was asked to send.
    pub fn sent(&self) -> usize {
        fs::read_to_string(self.path().join("sent")).map_or(0, |sent| sent.lines().count())
    }
}
