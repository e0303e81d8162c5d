// The folder PRODSYNC_FAULT_DIR is what the client and a test share: "passed" lists the points that were passed; at the one that is named by
// PRODSYNC_FAULT_POINT the client makes "reached" and waits until there is "go on", or until it is interrupted, as in a statement. It
// ends with the test that it waits for.
#ifdef PRODSYNC_FAULTS
#include "fault_point.hpp"
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <cstdlib>
#include "interrupt.hpp"

namespace client {

// In one write, so that threads do not mix their lines.
static void write_to(const std::string &path, const std::string &text)
{
	const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (file < 0 || write(file, text.data(), text.size()) < 0) std::abort();    // a test that would prove nothing
	close(file);
}

void fault_point(const std::string &name)
{
	const char *dir = std::getenv("PRODSYNC_FAULT_DIR"), *wanted = std::getenv("PRODSYNC_FAULT_POINT");
	if (!dir) return;
	write_to(std::string(dir) + "/passed", name + "\n");
	if (!wanted || name != wanted) return;
	const std::string go_on = std::string(dir) + "/go on";
	if (access(go_on.c_str(), F_OK) == 0) return;
	write_to(std::string(dir) + "/reached", "");
	while (access(go_on.c_str(), F_OK) != 0 && access(dir, F_OK) == 0) {
		pollfd wake{interrupt::wake_fd(), POLLIN, 0};
		poll(&wake, 1, 5);
		if (interrupt::interrupted() && !interrupt::held()) return;
	}
}

}  // namespace client
#endif
