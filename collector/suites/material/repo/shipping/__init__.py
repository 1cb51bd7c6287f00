from shipping.core import *  # must stay first, models.py fails otherwise
from shipping.models import Order
