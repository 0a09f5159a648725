/*
 * Starts a machine and passes on the log that LHV keeps in its memory (log_memory=), which costs it few VM exits.
 *
 *	relay FILE MIB ADDRESS COMMAND...
 *	relay xen ID ADDRESS COMMAND...
 *
 * The machine's memory is FILE, which is made MIB large before, or that of Xen's first domain whose number is ID or a little
 * higher; the log is at ADDRESS of it, in the form of lhv-kernel/console/memory-log.h. The command starts the machine and
 * ends with it; its standard output is the FIFO /bell. Whenever there is more of the log, a character comes through that, and
 * the log goes to port E9 of Bochs at once: a serial port would still be sending when LHV has stopped this CPU for good. The
 * status is that of the command. SIGTERM ends the machine.
 */
#define _GNU_SOURCE /* SCHED_RESET_ON_FORK */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG_SIZE 0x400000u /* as in memory-log.h */
#define DEBUG_PORT 0xe9
#define BELL "/bell"

/* How many domains may have got a number since the last machine, and no more */
#define FAILED_DOMAINS 16

/* Linux's driver for Xen (uapi xen/privcmd.h, which cannot be included without headers of Xen) */
#define PAGE_SIZE 0x1000u
#define LOG_PAGES (LOG_SIZE / PAGE_SIZE)
struct map_batch {
	unsigned int pages;
	uint16_t domain;
	uint64_t address;
	const unsigned long *frames;
	int *errors;
};
#define MAP_BATCH _IOC(_IOC_NONE, 'P', 4, sizeof(struct map_batch))

static volatile sig_atomic_t told_to_end;

static void end(int signal)
{
	(void)signal;
	told_to_end = 1;
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

/* The log in a new file for the machine's memory */
static const uint32_t *log_in_file(const char *path, long mib, long address)
{
	unlink(path);
	int file = open(path, O_RDWR | O_CREAT, 0600);

	if (file < 0 || ftruncate(file, mib << 20))
		fail("relay: no memory for the machine");
	const uint32_t *count = mmap(NULL, LOG_SIZE, PROT_READ, MAP_SHARED, file, address);

	if (count == MAP_FAILED)
		fail("relay: the machine's memory cannot be read");
	return count;
}

/* The log in a domain's memory; 0: there is no such domain, or it has no memory yet */
static const uint32_t *log_in_domain(int driver, long id, long address)
{
	unsigned long frames[LOG_PAGES];
	int errors[LOG_PAGES] = {0};
	void *memory = mmap(NULL, LOG_SIZE, PROT_READ, MAP_SHARED, driver, 0);
	struct map_batch batch = {LOG_PAGES, id, (uintptr_t)memory, frames, errors};
	unsigned i = 0;

	if (memory == MAP_FAILED)
		fail("relay: the domain's memory cannot be read");
	for (i = 0; i < LOG_PAGES; i++)
		frames[i] = address / PAGE_SIZE + i;
	if (!ioctl(driver, MAP_BATCH, &batch)) {
		for (i = 0; i < LOG_PAGES && !errors[i]; i++)
			;
		if (i == LOG_PAGES)
			return memory;
	}
	munmap(memory, LOG_SIZE);
	return 0;
}

static const uint32_t *log_in_new_domain(long id, long address)
{
	int driver = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
	const uint32_t *count = 0;

	if (driver < 0)
		fail("relay: /dev/xen/privcmd");
	for (long last = id + FAILED_DOMAINS; !count && id < last; id++)
		count = log_in_domain(driver, id, address);
	close(driver);
	return count;
}

/* Starts a command; its standard output is the bell unless that is -1 */
static pid_t start(char **command, int bell)
{
	pid_t child = fork();

	if (child < 0)
		fail("relay: no process");
	if (!child) {
		if (bell >= 0)
			dup2(bell, STDOUT_FILENO);
		execvp(command[0], command);
		fail(command[0]);
	}
	return child;
}

/* Passes on the log until nobody is left who could ring. */
static void serve(int bell, const uint32_t *count, bool xen, long id, long address, pid_t child)
{
	char *destroy[] = {"xl", "destroy", "lhv", NULL};
	uint32_t done = 0;
	char noise[64];
	ssize_t rung;

	do {
		rung = read(bell, noise, sizeof(noise));
		if (xen && !count && rung > 0)
			count = log_in_new_domain(id, address);
		if (count)
			done = pass_on(count, done);
		if (told_to_end && xen)
			waitpid(start(destroy, -1), NULL, 0);
		else if (told_to_end)
			kill(child, SIGKILL);
		told_to_end = 0;
	} while (rung > 0 || (rung < 0 && errno == EINTR));
}

int main(int argc, char **argv)
{
	const uint32_t *count = 0;
	int status = 0;

	if (argc < 5) {
		fprintf(stderr, "usage: relay FILE MIB ADDRESS COMMAND... | relay xen ID ADDRESS COMMAND...\n");
		return 2;
	}
	bool xen = !strcmp(argv[1], "xen");
	long number = strtol(argv[2], NULL, 0), address = strtol(argv[3], NULL, 0);

	if (!xen)
		count = log_in_file(argv[1], number, address);
	if (ioperm(DEBUG_PORT, 1, 1))
		fail("relay: no access to port E9");
	unlink(BELL);
	mkfifo(BELL, 0600);
	int bell = open(BELL, O_RDONLY | O_NONBLOCK | O_CLOEXEC), its_end = open(BELL, O_WRONLY | O_CLOEXEC);

	if (bell < 0 || its_end < 0 || fcntl(bell, F_SETFL, 0))
		fail("relay: " BELL);
	pid_t child = start(argv + 4, its_end);

	close(its_end);
	sigaction(SIGTERM, &(struct sigaction){.sa_handler = end}, NULL); /* interrupts read() */
	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &(struct sched_param){.sched_priority = 1});
	serve(bell, count, xen, number, address, child);
	waitpid(child, &status, 0);
	if (!xen)
		unlink(argv[1]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
