import sys

import shipping

if __name__ == "__main__":
    sys.exit(shipping.run(sys.argv[1:]))
