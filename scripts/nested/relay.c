/*
 * Starts QEMU and passes on the log that LHV keeps in its memory (log_memory=), which costs it few VM exits.
 *
 *	relay FILE MIB ADDRESS COMMAND...
 *
 * FILE becomes the memory of the machine, MIB large; the log is at ADDRESS of it, in the form of
 * lhv-kernel/console/memory-log.h. The command prints a character whenever there is more; the log then goes to port E9 of
 * Bochs at once: a serial port would still be sending when LHV has stopped this CPU for good. The status is that of the
 * command. SIGTERM kills the command.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG_SIZE 0x400000u /* as in memory-log.h */
#define DEBUG_PORT 0xe9

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

/* Passes on what the log holds beyond what was passed on already. Returns how much that is now. */
static uint32_t pass_on(const uint32_t *count, uint32_t done)
{
	uint32_t end = __atomic_load_n(count, __ATOMIC_ACQUIRE);

	if (end > LOG_SIZE - sizeof(*count))
		return done; /* no log, or one that the machine has destroyed */
	for (; done < end; done++)
		outb(((const char *)(count + 1))[done], DEBUG_PORT);
	return done;
}

/* Starts the command with its standard output in a pipe. Returns the end to read from. */
static int start(char **command)
{
	int ends[2];

	if (pipe(ends))
		fail("relay: no pipe");
	child = fork();
	if (child < 0)
		fail("relay: no process");
	if (!child) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execvp(command[0], command);
		fail(command[0]);
	}
	close(ends[1]);
	return ends[0];
}

int main(int argc, char **argv)
{
	uint32_t done = 0;
	char noise[64];
	int status = 0;

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
	if (ioperm(DEBUG_PORT, 1, 1))
		fail("relay: no access to port E9");
	int bell = start(argv + 4);

	signal(SIGTERM, kill_child);
	sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1});
	for (;;) {
		ssize_t rung = read(bell, noise, sizeof(noise));

		done = pass_on(count, done);
		if (rung == 0 || (rung < 0 && errno != EINTR))
			break;
	}
	waitpid(child, &status, 0);
	unlink(argv[1]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
