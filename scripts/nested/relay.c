/*
 * Starts QEMU and passes on the log that LHV keeps in its memory (log_memory=), which costs no VM exits.
 *
 *	relay FILE MIB ADDRESS COMMAND...
 *
 * FILE becomes the memory of the machine, MIB large; the log is at ADDRESS of it, in the form of
 * lhv-kernel/console/memory-log.h, and goes to the standard output. The status is that of the command, once all of the log
 * is out. SIGTERM kills the command.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG_SIZE 0x400000u /* as in memory-log.h */
#define PERIOD_US 20000

static pid_t child;

static void kill_child(int signal)
{
	(void)signal;
	kill(child, SIGKILL);
}

static void fail(const char *what)
{
	perror(what);
	exit(127);
}

/* Writes what the log holds beyond what was written already. Returns how much that is now. */
static uint32_t pass_on(const uint32_t *count, uint32_t done)
{
	uint32_t end = __atomic_load_n(count, __ATOMIC_ACQUIRE);

	if (end > LOG_SIZE - sizeof(*count))
		return done; /* no log, or one that the machine has destroyed */
	while (done < end) {
		ssize_t size = write(STDOUT_FILENO, (const char *)(count + 1) + done, end - done);

		if (size < 0)
			fail("relay: the log cannot be written");
		done += size;
	}
	return done;
}

int main(int argc, char **argv)
{
	uint32_t done = 0;
	int status;

	if (argc < 5) {
		fprintf(stderr, "usage: relay FILE MIB ADDRESS COMMAND...\n");
		return 2;
	}
	unlink(argv[1]);
	int file = open(argv[1], O_RDWR | O_CREAT, 0600);

	if (file < 0 || ftruncate(file, strtol(argv[2], NULL, 0) << 20))
		fail("relay: no memory for the machine");
	const uint32_t *count = mmap(NULL, LOG_SIZE, PROT_READ, MAP_SHARED, file, strtol(argv[3], NULL, 0));

	if (count == MAP_FAILED)
		fail("relay: the machine's memory cannot be read");
	child = fork();
	if (child < 0)
		fail("relay: no process");
	if (!child) {
		execvp(argv[4], argv + 4);
		fail(argv[4]);
	}
	signal(SIGTERM, kill_child);
	while (!waitpid(child, &status, WNOHANG)) {
		done = pass_on(count, done);
		usleep(PERIOD_US);
	}
	pass_on(count, done);
	unlink(argv[1]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
